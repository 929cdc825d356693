//! When a worker must look whether a reactor sleeps, and when the look may wait (P9).
//!
//! A look costs a fence, and a wake-up a system call; a callback that sends a hundred times in a row needs one.
//! A look is put off only while less than [`DEFER_NS`] lie between the clock *before* the publish of the last
//! record for which the worker looked and the clock *after* the publish of this one. The reactor takes the former
//! at or after the former clock and sleeps with a limit until a millisecond after that, then looks at its lanes:
//! it finds what was published by then. Two clocks, since the worker may lose the CPU at any point between.
//!
//! Once the worker waits itself, its sleep word is odd and the reactor may sleep without limit. So before any wait
//! the worker looks at all that it owes, and forgets when it looked.

/// So long after a look the next one may be put off, in nanoseconds.
pub const DEFER_NS: u64 = 50_000;

/// What a worker remembers of its looks at the sleep words of reactors.
#[derive(Debug)]
pub struct Looks {
    reactors: Vec<Look>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Look {
    /// The clock before the publish of the last record that was looked for.
    since_ns: Option<u64>,
    owed: bool,
}

impl Looks {
    /// Nothing looked at, nothing owed.
    pub fn new(reactors: usize) -> Self {
        Self { reactors: vec![Look::default(); reactors] }
    }

    /// Something was published to `reactor` between the two clocks (monotonic ns). Says whether the worker must
    /// look at its sleep word now; if not, it owes the look.
    pub fn published(&mut self, reactor: usize, before_ns: u64, after_ns: u64) -> bool {
        let look = &mut self.reactors[reactor];
        look.owed = look.since_ns.is_some_and(|since_ns| after_ns.saturating_sub(since_ns) < DEFER_NS);
        if !look.owed {
            look.since_ns = Some(before_ns);
        }
        !look.owed
    }

    /// The reactors whose look was put off and not made up for since.
    pub fn owed(&self) -> impl Iterator<Item = usize> {
        self.reactors.iter().enumerate().filter(|(_, look)| look.owed).map(|(reactor, _)| reactor)
    }

    /// The worker is about to wait and has looked at all it owed.
    pub fn forget(&mut self) {
        self.reactors.fill(Look::default());
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_put_off_for_a_while_after_the_last_and_for_that_reactor_alone() {
        let mut looks = Looks::new(2);
        assert!(looks.published(0, 1_000_000, 1_000_100));
        assert!(!looks.published(0, 1_049_000, 1_049_999), "less than 50 us after the clock before the first");
        assert!(looks.published(1, 1_049_000, 1_049_999), "nothing was looked at there");
        assert_eq!(looks.owed().collect::<Vec<_>>(), [0]);
        assert!(looks.published(0, 1_049_999, 1_050_000));
        assert_eq!(looks.owed().count(), 0, "the look made up for the one before");
    }

    #[test]
    fn nothing_is_put_off_after_a_wait() {
        let mut looks = Looks::new(1);
        assert!(looks.published(0, 10, 20));
        looks.forget();
        assert!(looks.published(0, 30, 40));
    }

    #[test]
    fn no_answer_waits_for_a_callback_by_more_than_a_millisecond() {
        assert_eq!(late_answers(Rule::Kept), 0, "P9");
    }

    #[test]
    fn answers_are_late_if_one_clock_or_the_limit_or_the_forgetting_is_left_out() {
        for rule in [Rule::ClockAtTheLook, Rule::OneClock, Rule::NoLimit, Rule::NeverForgets] {
            assert!(late_answers(rule) > 0, "{rule:?} went unnoticed");
        }
    }

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Rule {
        Kept,
        ClockAtTheLook,
        OneClock,
        NoLimit,
        NeverForgets,
    }

    /// One thing that the worker does in a tick.
    #[derive(Clone, Copy, Debug)]
    enum Op {
        Work,
        ReadClock,
        Publish,
        Decide,
        Look,
        PayBack,
        Sleep,
        Wake,
    }

    /// A small generator, so that a failure repeats.
    struct Numbers(u64);

    impl Numbers {
        fn one_of(&mut self, choices: &[usize]) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            choices[crate::to_usize(self.0 >> 33) % choices.len()]
        }
    }

    const TICK_NS: u64 = 1000;
    const LONGEST_PREEMPTION: usize = 2500;

    /// Records of 1000 short lives of a worker and a reactor, a microsecond a tick, that were taken too late.
    fn late_answers(rule: Rule) -> usize {
        let mut numbers = Numbers(7);
        (0..1000).filter(|_| worst_delay(rule, &mut numbers) > LONGEST_PREEMPTION + 1200).count()
    }

    /// What the worker does: two to four records, sometimes a wait between two, any step preempted; then it stays
    /// in its callback for ever.
    fn program(numbers: &mut Numbers) -> Vec<Op> {
        let mut ops = Vec::new();
        for _ in 0..numbers.one_of(&[2, 3, 4]) {
            ops.extend(std::iter::repeat_n(Op::Work, numbers.one_of(&[0, 3, 20, 40, 300])));
            for op in [Op::ReadClock, Op::Publish, Op::Decide] {
                ops.push(op);
                ops.extend(std::iter::repeat_n(Op::Work, numbers.one_of(&[0, 0, 0, 5, 1100, LONGEST_PREEMPTION])));
            }
            if numbers.one_of(&[0, 1]) == 1 {
                ops.extend([Op::PayBack, Op::Sleep]);
                ops.extend(std::iter::repeat_n(Op::Work, numbers.one_of(&[1, 10, 30, 3000])));
                ops.push(Op::Wake);
            }
        }
        ops
    }

    fn worst_delay(rule: Rule, numbers: &mut Numbers) -> usize {
        let mut ops = program(numbers);
        ops.reverse();
        let mut looks = Looks::new(1);
        let (mut before_ns, mut published, mut taken, mut worker_sleeps) = (0, Vec::new(), 0, false);
        let (mut reactor_sleeps, mut until, mut last_take, mut rung_at) = (false, Some(0), 0, None);
        let mut worst = 0;
        for now in 0..30_000 {
            // The reactor: takes all and is busy for a while; finding nothing, it sleeps, with a limit if it must.
            if !reactor_sleeps || until.is_some_and(|until| now >= until) || rung_at.is_some_and(|at| now >= at) {
                if reactor_sleeps {
                    (reactor_sleeps, rung_at, until) = (false, None, Some(now));
                }
                if until.is_some_and(|until| now >= until) {
                    if taken < published.len() {
                        worst = published[taken..].iter().map(|at| now - at).fold(worst, usize::max);
                        (taken, last_take, until) = (published.len(), now, Some(now + numbers.one_of(&[1, 5, 20])));
                    } else {
                        let limited = rule != Rule::NoLimit && !worker_sleeps && now < last_take + 1000;
                        (reactor_sleeps, until) = (true, limited.then_some(last_take + 1000));
                    }
                }
            }
            let now_ns = now as u64 * TICK_NS;
            match ops.pop() {
                None | Some(Op::Work) => {}
                Some(Op::ReadClock) => before_ns = now_ns,
                Some(Op::Publish) => published.push(now),
                Some(Op::Decide) => {
                    let (before_ns, after_ns) = match rule {
                        Rule::ClockAtTheLook => (now_ns, now_ns),
                        Rule::OneClock => (before_ns, before_ns),
                        _ => (before_ns, now_ns),
                    };
                    if looks.published(0, before_ns, after_ns) {
                        ops.push(Op::Look);
                    }
                }
                Some(Op::Look) => rung_at = rung_at.or(reactor_sleeps.then_some(now + 20)),
                Some(Op::PayBack) => {
                    if looks.owed().next().is_some() {
                        ops.push(Op::Look);
                    }
                    if rule != Rule::NeverForgets {
                        looks.forget();
                    }
                }
                Some(Op::Sleep) => worker_sleeps = true,
                Some(Op::Wake) => worker_sleeps = false,
            }
        }
        published[taken..].iter().map(|at| 30_000 - at).fold(worst, usize::max)
    }
}
