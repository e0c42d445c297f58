//! A point in time by two clocks, so that neither a clock that is set nor a host that sleeps makes a dead token live.

/// Now, or a limit, by both clocks.
///
/// The wall clock is what servers and programs mean by a time, and may be set either way. The other one counts the
/// seconds since the host started, suspension included, and is never set; a virtual machine that was stopped may have
/// missed some. A limit is over when either says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Unix seconds.
    pub wall: i64,
    /// Seconds since the host started.
    pub boot: i64,
}

impl Moment {
    /// The moment at which the wall clock will say `wall`, if nobody sets it meanwhile.
    pub(crate) fn at(self, wall: i64) -> Moment {
        Moment { wall, boot: self.boot.saturating_add(wall.saturating_sub(self.wall)) }
    }

    /// How many seconds are left until this limit, by the clock that has fewer.
    pub(crate) fn left(self, now: Moment) -> i64 {
        self.wall.saturating_sub(now.wall).min(self.boot.saturating_sub(now.boot))
    }
}

#[cfg(test)]
mod tests {
    use super::Moment;

    #[test]
    fn the_clock_that_has_less_decides() {
        let start = Moment { wall: 1000, boot: 50 };
        let limit = start.at(1600);
        assert_eq!(limit, Moment { wall: 1600, boot: 650 });
        let cases = [
            ("nothing happened", Moment { wall: 1100, boot: 150 }, 500),
            ("the wall clock was set back a day", Moment { wall: 1100 - 86_400, boot: 150 }, 500),
            ("it was set on a day", Moment { wall: 1100 + 86_400, boot: 150 }, 500 - 86_400),
            ("the host slept an hour", Moment { wall: 4700, boot: 3750 }, -3100),
            ("a stopped virtual machine missed an hour", Moment { wall: 4700, boot: 150 }, -3100),
        ];
        for (name, now, left) in cases {
            assert_eq!(limit.left(now), left, "{name}");
        }
        assert_eq!(start.at(i64::MAX).left(Moment { wall: i64::MIN, boot: i64::MIN }), i64::MAX);
    }
}
