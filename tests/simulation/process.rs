//! A process of the operator: it can be killed and frozen between any two of its steps, and its machine's clock can be wrong.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use tokio::task::{AbortHandle, JoinHandle};

/// A machine that processes run on, one after the other.
#[derive(Debug, Default)]
pub struct Machine {
    /// By how many milliseconds its clock is ahead of true time.
    pub clock_error: AtomicI64,
}

/// A process.
#[derive(Debug)]
pub struct Process {
    /// Counted up from one start to the next.
    pub number: usize,
    /// Which replica it is: which machine it runs on.
    pub replica: usize,
    machine: Arc<Machine>,
    frozen: AtomicBool,
    dead: AtomicBool,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    tasks: Vec<AbortHandle>,
    asleep: Vec<Waker>,
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<Process>>> = const { RefCell::new(None) };
}

/// The process whose step is being done.
pub fn current() -> Option<Arc<Process>> {
    CURRENT.with_borrow(Clone::clone)
}

/// Begins work of the process whose step is being done.
pub fn spawn<F>(work: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    current().expect("only a process begins work").spawn(work)
}

impl Process {
    /// A process that has not begun.
    pub fn new(number: usize, replica: usize, machine: Arc<Machine>) -> Arc<Self> {
        let (frozen, dead) = (AtomicBool::new(false), AtomicBool::new(false));
        Arc::new(Self { number, replica, machine, frozen, dead, inside: Mutex::default() })
    }

    /// Begins work of this process.
    pub fn spawn<F>(self: &Arc<Self>, work: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send,
    {
        let task = tokio::spawn(Within { process: Arc::clone(self), work: Some(Box::pin(work)) });
        let mut inside = self.inside.lock().unwrap();
        inside.tasks.retain(|task| !task.is_finished());
        inside.tasks.push(task.abort_handle());
        task
    }

    /// Ends it at once: its memory is lost, what it has sent is not.
    pub fn kill(&self) {
        self.dead.store(true, Ordering::Relaxed);
        for task in self.inside.lock().unwrap().tasks.drain(..) {
            task.abort();
        }
    }

    /// Stops it, as SIGSTOP does, or lets it go on.
    pub fn freeze(&self, frozen: bool) {
        self.frozen.store(frozen, Ordering::Relaxed);
        if !frozen {
            self.inside.lock().unwrap().asleep.drain(..).for_each(Waker::wake);
        }
    }

    /// Whether it was killed.
    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    /// Whether it is stopped.
    pub fn is_frozen(&self) -> bool {
        self.frozen.load(Ordering::Relaxed)
    }

    /// By how many milliseconds its clock is ahead.
    pub fn clock_error(&self) -> i64 {
        self.machine.clock_error.load(Ordering::Relaxed)
    }
}

/// Work of a process: done only while that lives and is not frozen.
struct Within<F> {
    process: Arc<Process>,
    work: Option<Pin<Box<F>>>,
}

/// What is dropped with a process may begin work: that is the process's too, and is never done.
impl<F> Drop for Within<F> {
    fn drop(&mut self) {
        let before = CURRENT.replace(Some(Arc::clone(&self.process)));
        self.work = None;
        CURRENT.set(before);
    }
}

impl<F: Future> Future for Within<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        if self.process.is_dead() {
            return Poll::Pending;
        }
        if self.process.is_frozen() {
            self.process.inside.lock().unwrap().asleep.push(context.waker().clone());
            return Poll::Pending;
        }
        let before = CURRENT.replace(Some(Arc::clone(&self.process)));
        let polled = self.work.as_mut().map_or(Poll::Pending, |work| work.as_mut().poll(context));
        CURRENT.set(before);
        polled
    }
}
