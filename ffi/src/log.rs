//! `azcred_log_set`: where log lines go.

use std::ffi::{CString, c_char, c_void};
use std::mem::MaybeUninit;

use azcred::{LogLevel, LogLine, log_to, set_log_level};

use crate::credential::azcred_user_data_free;
use crate::error::{azcred_error, azcred_status, text};
use crate::function::UserData;
use crate::guard::guard;
use crate::request::argument;

/// How much a log line matters, or from what on lines are wanted.
#[repr(C)]
#[derive(Clone, Copy)]
pub enum azcred_log_level {
    /// No lines at all.
    AZCRED_LOG_OFF = 0,
    /// What should not happen.
    AZCRED_LOG_ERROR = 1,
    /// A call that failed, or a setting that could not be used.
    AZCRED_LOG_WARN = 2,
    /// A choice that was made.
    AZCRED_LOG_INFO = 3,
    /// The steps on the way.
    AZCRED_LOG_DEBUG = 4,
    /// Everything.
    AZCRED_LOG_TRACE = 5,
}

use azcred_log_level::{
    AZCRED_LOG_DEBUG, AZCRED_LOG_ERROR, AZCRED_LOG_INFO, AZCRED_LOG_OFF, AZCRED_LOG_TRACE, AZCRED_LOG_WARN,
};

const LEVELS: [(azcred_log_level, LogLevel); 6] = [
    (AZCRED_LOG_OFF, LogLevel::Off),
    (AZCRED_LOG_ERROR, LogLevel::Error),
    (AZCRED_LOG_WARN, LogLevel::Warn),
    (AZCRED_LOG_INFO, LogLevel::Info),
    (AZCRED_LOG_DEBUG, LogLevel::Debug),
    (AZCRED_LOG_TRACE, LogLevel::Trace),
];

/// One log line. It holds no secret.
///
/// `azcred_log_line_level`, `azcred_log_line_target`, `azcred_log_line_text`, `azcred_log_line_time_ms`.
pub struct azcred_log_line {
    level: azcred_log_level,
    target: CString,
    text: CString,
    time_ms: i64,
}

/// Gets a log line, on any thread, azcred's own among them, at any time. It borrows `line` for the call, must come back soon,
/// and must not call azcred but for the line's getters.
pub type azcred_log_callback = Option<extern "C" fn(user_data: *mut c_void, line: &azcred_log_line)>;

/// Gives the log lines of the whole process, of `level` (an `azcred_log_level`) and above, to `callback` from now on, instead
/// of what was given before. A NULL `callback` ends it. Without this call there are no lines, save on standard error where
/// the environment has `AZCRED_LOG`. No call that is answered from the cache has a line.
///
/// `user_data_free`, if given, is called once, on any thread, when `callback` was replaced and no call of it is left; at once
/// for a NULL `callback`; if this call fails, never. On failure `*error_out`, if given, owns an error. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_log_set(
    level: u32,
    callback: azcred_log_callback,
    user_data: *mut c_void,
    user_data_free: azcred_user_data_free,
    error_out: Option<&mut MaybeUninit<Option<Box<azcred_error>>>>,
) -> azcred_status {
    guard(error_out, || {
        let known = LEVELS.iter().find(|(number, _)| *number as u32 == level);
        let (_, level) =
            known.ok_or_else(|| argument(format!("level: expected 0 to {}, got {level}", LEVELS.len() - 1)))?;
        // From here on it is freed whatever comes.
        let user_data = UserData::new(user_data, user_data_free);
        if let Some(callback) = callback {
            log_to(move |line| callback(user_data.pointer(), &azcred_log_line::of(&line)));
            set_log_level(*level);
        } else {
            set_log_level(LogLevel::Off);
            log_to(|_| ());
        }
        Ok(())
    })
}

impl azcred_log_line {
    fn of(line: &LogLine) -> azcred_log_line {
        let level =
            LEVELS.iter().find(|(_, level)| *level == line.level).map_or(AZCRED_LOG_ERROR, |(number, _)| *number);
        let time_ms = i64::try_from(line.time.as_millis()).unwrap_or(i64::MAX);
        azcred_log_line { level, target: text(line.target), text: text(&line.text), time_ms }
    }
}

/// How much the line matters.
///
/// Borrows `line`. NULL gives `AZCRED_LOG_OFF`. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_log_line_level(line: Option<&azcred_log_line>) -> azcred_log_level {
    line.map_or(AZCRED_LOG_OFF, |line| line.level)
}

/// Which part of azcred says it, such as "azcred::cache::flight".
///
/// Borrows `line`; the text lives as long as it. NULL gives NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_log_line_target(line: Option<&azcred_log_line>) -> *const c_char {
    line.map_or(std::ptr::null(), |line| line.target.as_ptr())
}

/// The sentence and what belongs to it. It may have line breaks, as a chain's report has.
///
/// Borrows `line`; the text lives as long as it. NULL gives NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_log_line_text(line: Option<&azcred_log_line>) -> *const c_char {
    line.map_or(std::ptr::null(), |line| line.text.as_ptr())
}

/// When, in milliseconds since 1970.
///
/// Borrows `line`. NULL gives 0. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_log_line_time_ms(line: Option<&azcred_log_line>) -> i64 {
    line.map_or(0, |line| line.time_ms)
}
