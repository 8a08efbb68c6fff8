//! What is printed: a table for people, a line of JSON for machines.

use serde_json::{Map, Value, json};

pub struct Report {
    title: String,
    rows: Vec<(String, String)>,
    json: Map<String, Value>,
}

impl Report {
    pub fn new(part: &str, sources: usize) -> Self {
        let json = Map::from_iter([("part".to_owned(), json!(part)), ("sources".to_owned(), json!(sources))]);
        Self { title: format!("{part}: {sources} sources"), rows: Vec::new(), json }
    }

    pub fn set(&mut self, name: &str, shown: f64, value: Value) {
        let shown = if shown.fract() == 0.0 { format!("{shown:.0}") } else { format!("{shown:.2}") };
        self.tell(name, shown, value);
    }

    pub fn tell(&mut self, name: &str, shown: String, value: Value) {
        eprintln!("  {name}: {shown}");
        self.rows.push((name.to_owned(), shown));
        self.json.insert(name.to_owned(), value);
    }

    /// Lines to look at, printed at once.
    pub fn show(&mut self, name: &str, lines: &[String], value: Value) {
        println!("\n{name}");
        for line in lines {
            println!("  {line}");
        }
        self.json.insert(name.to_owned(), value);
    }

    pub fn print(&self) {
        let width = self.rows.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        println!("\n{}", self.title);
        for (name, shown) in &self.rows {
            println!("  {name:width$}  {shown:>12}");
        }
        println!("{}", Value::Object(self.json.clone()));
    }
}
