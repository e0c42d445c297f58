//! Moments in time as services write them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// An HTTP date (RFC 9110 section 5.6.7), as Unix seconds.
pub(crate) fn http_date(text: &str) -> Option<i64> {
    jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp().as_second())
}

/// The forms of App Service workers.
const FORMATS: [&str; 2] = ["%m/%d/%Y %I:%M:%S %p %:z", "%m/%d/%Y %H:%M:%S %:z"];

/// Forms without a zone, which mean UTC.
const BARE: [&str; 2] = ["%m/%d/%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S"];

/// A moment in any of the forms that token endpoints use, as Unix seconds: digits, RFC 3339, and the two forms of
/// App Service workers, `06/20/2019 02:57:58 +00:00` and `1/16/2020 5:24:12 AM +00:00`.
pub(crate) fn any(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<i64>() {
        return Some(seconds);
    }
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(timestamp.as_second());
    }
    let zoned = FORMATS.iter().find_map(|format| Timestamp::strptime(format, text).ok());
    if let Some(timestamp) = zoned {
        return Some(timestamp.as_second());
    }
    let civil = BARE.iter().find_map(|format| DateTime::strptime(format, text).ok())?;
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_a_service_uses() {
        let cases = [
            ("1577836800", Some(1_577_836_800)),
            (" 1577836800 ", Some(1_577_836_800)),
            ("2020-01-01T00:00:00Z", Some(1_577_836_800)),
            ("2020-01-01T01:00:00.123+01:00", Some(1_577_836_800)),
            ("01/01/2020 00:00:00 +00:00", Some(1_577_836_800)),
            ("1/1/2020 12:00:00 AM +00:00", Some(1_577_836_800)),
            ("01/01/2020 00:00:00", Some(1_577_836_800)),
            ("2020-01-01 00:00:00", Some(1_577_836_800)),
            ("", None),
            ("never", None),
            ("99999999999999999999", None),
            ("1577836800.5", None),
        ];
        for (text, expected) in cases {
            assert_eq!(any(text), expected, "{text}");
        }
    }

    #[test]
    fn http_dates() {
        assert_eq!(http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(http_date("tomorrow"), None);
    }
}
