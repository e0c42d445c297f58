//! azcred's log lines go to `logging.getLogger("azcred")`, once the program has loaded `logging`; azcred never does.
//!
//! A handler is the program's code: it may take its time, hold locks, or ask for a token. So no line is handed over on
//! azcred's own thread, which serves every caller. It waits for the next call that needs more than the cache, and is
//! handed over on that caller's thread; a call that waits hands over what comes meanwhile.

use std::cell::Cell;

use azcred::{LogLevel, LogLine, LogQueue, log_to, set_log_level};
use pyo3::exceptions::PyException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

static LINES: LogQueue = LogQueue::new();

/// `logging` and its logger, once the program has them.
static LOGGING: PyOnceLock<(Py<PyAny>, Py<PyAny>)> = PyOnceLock::new();

/// `sys.modules`: a program without `logging` is asked for it for each token that is not fresh.
static MODULES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();

thread_local! {
    /// Whether this thread is handing lines over: a handler that asks for a token is not given more of them.
    static BUSY: Cell<bool> = const { Cell::new(false) };
}

/// Finds out which lines are wanted. Called where a call goes beyond the cache. An error is Ctrl-C or the like.
pub(crate) fn listen(python: Python<'_>) -> PyResult<()> {
    let level = match logging(python) {
        Ok(Some((_, logger))) => wanted(logger.bind(python)),
        Ok(None) => return Ok(()),
        Err(error) => Err(error),
    };
    match level {
        Ok(level) => set_log_level(level),
        // A program that put something else in the place of `logging` gets no lines.
        Err(error) if error.is_instance_of::<PyException>(python) => set_log_level(LogLevel::Off),
        Err(error) => return Err(error),
    }
    Ok(())
}

fn logging(python: Python<'_>) -> PyResult<Option<&(Py<PyAny>, Py<PyAny>)>> {
    if let Some(found) = LOGGING.get(python) {
        return Ok(Some(found));
    }
    let modules = MODULES.get_or_try_init(python, || -> PyResult<_> {
        Ok(python.import("sys")?.getattr("modules")?.cast_into::<PyDict>()?.unbind())
    })?;
    let logging = modules.bind(python).get_item(intern!(python, "logging"))?;
    let Some(logging) = logging.filter(|logging| logging.hasattr("makeLogRecord").unwrap_or(false)) else {
        return Ok(None);
    };
    let logger = logging.call_method1("getLogger", ("azcred",))?;
    // Without any handler, `logging` would print to standard error.
    logger.call_method1("addHandler", (logging.getattr("NullHandler")?.call0()?,))?;
    log_to(|line| LINES.push(line));
    let found = (logging.unbind(), logger.unbind());
    Ok(Some(LOGGING.get_or_init(python, || found)))
}

/// From what on the logger wants lines.
fn wanted(logger: &Bound<'_, PyAny>) -> PyResult<LogLevel> {
    let python = logger.py();
    if logger.getattr(intern!(python, "disabled"))?.is_truthy()? {
        return Ok(LogLevel::Off);
    }
    let own: i64 = logger.call_method0(intern!(python, "getEffectiveLevel"))?.extract()?;
    let disabled: i64 = logger.getattr(intern!(python, "manager"))?.getattr(intern!(python, "disable"))?.extract()?;
    let from = own.max(disabled.saturating_add(1));
    let levels = [LogLevel::Trace, LogLevel::Debug, LogLevel::Info, LogLevel::Warn, LogLevel::Error];
    Ok(levels.into_iter().find(|level| number(*level) >= from).unwrap_or(LogLevel::Off))
}

/// A level as `logging` has it, whose lowest is DEBUG.
fn number(level: LogLevel) -> i64 {
    match level {
        LogLevel::Off => i64::MAX,
        LogLevel::Error => 40,
        LogLevel::Warn => 30,
        LogLevel::Info => 20,
        LogLevel::Debug => 10,
        LogLevel::Trace => 5,
    }
}

/// Gives the logger the lines that wait. An error is Ctrl-C or the like: what else a handler or filter raises is shown, and
/// is no reason to go without a token.
pub(crate) fn hand_over(python: Python<'_>) -> PyResult<()> {
    let Some((logging, logger)) = LOGGING.get(python) else { return Ok(()) };
    if BUSY.get() {
        return Ok(());
    }
    // Those that are there now: what a handler itself leads to waits for the next call.
    let lines = LINES.take();
    if lines.is_empty() {
        return Ok(());
    }
    BUSY.set(true);
    let given = lines.into_iter().try_for_each(|line| match give(logging.bind(python), logger.bind(python), &line) {
        Err(error) if error.is_instance_of::<PyException>(python) => {
            error.write_unraisable(python, Some(logger.bind(python)));
            Ok(())
        }
        given => given,
    });
    BUSY.set(false);
    given
}

fn give(logging: &Bound<'_, PyAny>, logger: &Bound<'_, PyAny>, line: &LogLine) -> PyResult<()> {
    let level = number(line.level);
    if !logger.call_method1("isEnabledFor", (level,))?.is_truthy()? {
        return Ok(());
    }
    let record = PyDict::new(logger.py());
    record.set_item("name", "azcred")?;
    record.set_item("levelno", level)?;
    record.set_item("levelname", logging.call_method1("getLevelName", (level,))?)?;
    record.set_item("msg", &line.text)?;
    record.set_item("created", line.time.as_secs_f64())?;
    record.set_item("msecs", f64::from(line.time.subsec_millis()))?;
    record.set_item("module", line.target)?;
    let record = logging.call_method1("makeLogRecord", (record,))?;
    logger.call_method1("handle", (record,)).map(drop)
}
