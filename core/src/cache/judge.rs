//! The whole policy as one pure function: (what a slot holds, what is asked, now) → verdict.

use super::entry::Entry;
use crate::moment::Moment;
use crate::token::AccessToken;

/// A token with less life than this is dead: clocks differ, and requests take time.
pub(crate) const SKEW: i64 = 30;

/// Tokens that live at least this long are renewed at half their life when the server gives no time of its own.
const LONG_LIFE: i64 = 2 * 3600;

/// Others are renewed this long before they expire.
const MARGIN: i64 = 5 * 60;

/// What a caller demands beyond "alive".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Demand {
    /// The life it must still have, in seconds.
    pub(crate) min_ttl: i64,
    /// The hash of the claims it must have been obtained with.
    pub(crate) claims: Option<ClaimsHash>,
}

/// Stands for the text of a claims challenge.
pub(crate) type ClaimsHash = [u8; 32];

/// What to do for a caller.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    /// Take it.
    Fresh(AccessToken),
    /// Take it, and see to it that somebody renews it.
    Renew(AccessToken),
    /// Take it; a renewal failed a moment ago and rests.
    Resting(AccessToken),
    /// Nothing alive: wait for the source.
    Must,
}

/// Judges what a slot holds at `now`.
#[inline]
pub(crate) fn judge(entry: Option<&Entry>, demand: &Demand, now: Moment) -> Verdict {
    let Some(entry) = entry else { return Verdict::Must };
    if !entry.meets(demand, now) {
        return Verdict::Must;
    }
    let token = entry.token().clone();
    if entry.renews.left(now) > 0 {
        Verdict::Fresh(token)
    } else if now.boot < entry.rests_until {
        Verdict::Resting(token)
    } else {
        Verdict::Renew(token)
    }
}

/// When a token got at `now` should be renewed: the server's `refresh_in`, else half its life if it is long, else five
/// minutes before its end; `jitter` (0 to 1) moves that moment up to a tenth earlier, differently on each host.
pub(crate) fn renewal(now: i64, expires_on: i64, refresh_in: Option<i64>, jitter: f64) -> i64 {
    let life = expires_on.saturating_sub(now).max(0);
    let due = match refresh_in {
        Some(seconds) if seconds > 0 && seconds < life => seconds,
        _ if life >= LONG_LIFE => life / 2,
        _ => (life - MARGIN).max(life / 2),
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "a token's life in seconds fits, and a jitter needs no precision"
    )]
    let earlier = (due as f64 * 0.1 * jitter.clamp(0.0, 1.0)) as i64;
    now.saturating_add(due - earlier)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::Provenance;

    const NOW: i64 = 1_000_000;
    const HERE: Moment = Moment { wall: NOW, boot: 500 };

    fn token(text: &str, expires_in: i64, refresh_in: i64) -> AccessToken {
        let provenance = Provenance { credential: "X", source: "x", tenant_id: None, client_id: None };
        AccessToken::new(text, NOW + expires_in, NOW + refresh_in, provenance).unwrap()
    }

    fn entry(expires_in: i64, refresh_in: i64, rests_for: i64, claims: Option<ClaimsHash>) -> Entry {
        let token = token("t", expires_in, refresh_in);
        Entry { rests_until: HERE.boot + rests_for, ..Entry::new(&token, claims, HERE) }
    }

    fn word(verdict: &Verdict) -> &'static str {
        match verdict {
            Verdict::Fresh(_) => "fresh",
            Verdict::Renew(_) => "renew",
            Verdict::Resting(_) => "resting",
            Verdict::Must => "must",
        }
    }

    #[test]
    fn the_table() {
        let plain = Demand::default();
        let long = Demand { min_ttl: 600, claims: None };
        let claims = Demand { min_ttl: 0, claims: Some([1; 32]) };
        let cases = [
            ("nothing held", None, plain, "must"),
            ("alive and young", Some(entry(3600, 1800, 0, None)), plain, "fresh"),
            ("renewal due", Some(entry(3600, 0, 0, None)), plain, "renew"),
            ("renewal due, one failed", Some(entry(3600, 0, 30, None)), plain, "resting"),
            ("its rest is over", Some(entry(3600, -60, 0, None)), plain, "renew"),
            ("almost dead", Some(entry(SKEW, -60, 30, None)), plain, "must"),
            ("just alive", Some(entry(SKEW + 1, -60, 30, None)), plain, "resting"),
            ("dead", Some(entry(-1, -60, 0, None)), plain, "must"),
            ("lives shorter than asked", Some(entry(600, 300, 0, None)), long, "must"),
            ("lives as long as asked", Some(entry(601, 300, 0, None)), long, "fresh"),
            ("challenged", Some(entry(3600, 1800, 0, None)), claims, "must"),
            ("got with these claims", Some(entry(3600, 1800, 0, Some([1; 32]))), claims, "fresh"),
            ("got with other claims", Some(entry(3600, 1800, 0, Some([2; 32]))), claims, "must"),
            ("got with claims, asked without", Some(entry(3600, 1800, 0, Some([2; 32]))), plain, "fresh"),
            ("refused by a resource", entry(3600, 1800, 0, None).refused(HERE, 30), plain, "must"),
        ];
        for (name, held, demand, expected) in cases {
            assert_eq!(word(&judge(held.as_ref(), &demand, HERE)), expected, "{name}");
        }
    }

    #[test]
    fn clocks_that_jump() {
        let held = entry(3600, 1800, 0, None);
        let cases = [
            ("set back a day", -86_400, 60, "fresh"),
            ("set back a day, renewal due", -86_400, 1800, "renew"),
            ("set back a day, dead", -86_400, 3600, "must"),
            ("set on a day", 86_400, 60, "must"),
            ("asleep for half its life", 1800, 1800, "renew"),
            ("asleep for all of it", 3600, 3600, "must"),
            ("stopped with its machine", 3600, 0, "must"),
        ];
        for (name, wall, boot, expected) in cases {
            let now = Moment { wall: HERE.wall + wall, boot: HERE.boot + boot };
            assert_eq!(word(&judge(Some(&held), &Demand::default(), now)), expected, "{name}");
        }
    }

    #[test]
    fn a_token_is_refused_once() {
        let later = |seconds| Moment { wall: NOW + seconds, boot: HERE.boot + seconds };
        let refused = entry(3600, 1800, 0, None).refused(HERE, 30).unwrap();
        assert!(refused.refused(later(60), 30).is_none(), "it is to be replaced already");
        let same = Entry { is_refused: false, ..refused.clone() };
        assert!(same.refused(later(60), 30).is_none(), "the source had no other");
        let next = Entry { refusals: refused.refusals, ..Entry::new(&token("other", 3600, 1800), None, HERE) };
        assert!(next.refused(later(29), 30).is_none(), "too soon after the one before");
        assert!(next.refused(later(30), 30).is_some());
    }

    #[test]
    fn refusals_are_bounded() {
        let mut held = entry(3600, 1800, 0, None);
        for number in 0..100 {
            let now = Moment { wall: NOW, boot: HERE.boot + 60 * number };
            let token = token(&number.to_string(), 3600, 1800);
            held = Entry { refusals: held.refusals, ..Entry::new(&token, None, now) }.refused(now, 30).unwrap();
        }
        assert_eq!(held.refusals.len(), 8);
    }

    #[test]
    fn renewal_times() {
        let cases = [
            ("half of a day", 86_400, None, 0.0, 43_200),
            ("half of two hours", 7200, None, 0.0, 3600),
            ("five minutes before an hour", 3600, None, 0.0, 3300),
            ("half of a short life", 400, None, 0.0, 200),
            ("the server's word", 86_400, Some(600), 0.0, 600),
            ("a server's word beyond the end", 3600, Some(7200), 0.0, 3300),
            ("full jitter", 86_400, None, 1.0, 38_880),
            ("dead", -5, None, 0.5, 0),
        ];
        for (name, life, refresh_in, jitter, expected) in cases {
            assert_eq!(renewal(NOW, NOW + life, refresh_in, jitter) - NOW, expected, "{name}");
        }
    }
}
