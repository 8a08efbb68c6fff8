//! The process's own metrics, by the names that Prometheus' clients agree on, read from /proc at each scrape. Where there
//! is no /proc there are none.

use std::fmt;
use std::fs;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Clock ticks a second in /proc: Linux tells its users 100 whatever the kernel's own rate is (proc(5)).
const TICKS: f64 = 100.0;

/// Reads what the system knows of this process.
#[derive(Debug)]
pub struct Process;

/// What /proc tells.
#[derive(Debug, PartialEq)]
struct Usage {
    /// User and system time, in seconds.
    cpu: f64,
    /// In bytes.
    resident: f64,
    /// In bytes.
    virtual_memory: f64,
    /// In seconds since 1970.
    started: f64,
}

impl Usage {
    fn read() -> Option<Self> {
        let of_process = fs::read_to_string("/proc/self/stat").ok()?;
        let memory = fs::read_to_string("/proc/self/status").ok()?;
        Self::parse(&of_process, &memory, &fs::read_to_string("/proc/stat").ok()?)
    }

    /// Reads the texts of /proc/self/stat, /proc/self/status and /proc/stat.
    fn parse(of_process: &str, memory: &str, of_system: &str) -> Option<Self> {
        // The second field is the program's name in brackets, and may hold blanks and brackets itself.
        let (_, fields) = of_process.rsplit_once(") ")?;
        let field = |number: usize| fields.split_ascii_whitespace().nth(number - 3)?.parse::<f64>().ok();
        let kibibytes = |key| Some(1024.0 * value(memory, key)?);
        Some(Self {
            cpu: (field(14)? + field(15)?) / TICKS,
            resident: kibibytes("VmRSS:")?,
            virtual_memory: kibibytes("VmSize:")?,
            started: value(of_system, "btime")? + field(22)? / TICKS,
        })
    }
}

/// The number behind a key, in a text with a key a line.
fn value(text: &str, key: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

/// Descriptors that are open now, and how many may be.
fn descriptors() -> Option<(f64, f64)> {
    let open = u32::try_from(fs::read_dir("/proc/self/fd").ok()?.count()).ok()?;
    // Without a limit the line says `unlimited`.
    let limit = value(&fs::read_to_string("/proc/self/limits").ok()?, "Max open files").unwrap_or(f64::INFINITY);
    Some((open.into(), limit))
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        if let Some(usage) = Usage::read() {
            let cpu = ConstCounter::new(usage.cpu);
            tell(&mut encoder, "process_cpu_seconds", "User and system time spent, in seconds", &cpu)?;
            for (name, help, value) in [
                ("process_resident_memory_bytes", "Resident memory in bytes", usage.resident),
                ("process_virtual_memory_bytes", "Virtual memory in bytes", usage.virtual_memory),
                ("process_start_time_seconds", "When the process started, in seconds since 1970", usage.started),
            ] {
                tell(&mut encoder, name, help, &ConstGauge::new(value))?;
            }
        }
        if let Some((open, limit)) = descriptors() {
            tell(&mut encoder, "process_open_fds", "Open file descriptors", &ConstGauge::new(open))?;
            tell(&mut encoder, "process_max_fds", "How many file descriptors may be open", &ConstGauge::new(limit))?;
        }
        Ok(())
    }
}

fn tell(encoder: &mut DescriptorEncoder, name: &str, help: &str, metric: &impl EncodeMetric) -> Result<(), fmt::Error> {
    metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_with_a_strange_name_is_read() {
        let of_process = "77 (a) b (c) S 1 77 77 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 9 0 1234 99 7 1";
        let memory = "Name:\ta\nVmSize:\t    2048 kB\nVmRSS:\t    1024 kB\n";
        let usage = Usage::parse(of_process, memory, "cpu 1 2\nbtime 1700000000\n").unwrap();
        let expected = Usage { cpu: 3.0, resident: 1_048_576.0, virtual_memory: 2_097_152.0, started: 1_700_000_012.34 };
        assert_eq!(usage, expected);
    }

    #[test]
    fn what_is_cut_short_gives_nothing() {
        assert_eq!(Usage::parse("77 (a) S 1", "", ""), None);
    }
}
