//! What becomes of an application that was written for the peer: each setting, event, method, property, class,
//! function and constant of it, and whether it is here. `docs/migration.md` is made from these tables; tests compare
//! them with the settings, the events and the stubs, so that neither side can grow or shrink alone.

mod events;
mod members;
mod names;
mod page;
mod settings;
#[cfg(test)]
mod tests;

pub use page::migration_page;

/// What becomes of something that applications use in the peer, or that they find here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It is here and does the same.
    Same,
    /// It is here, and what is different about it: a sentence.
    Differs(&'static str),
    /// It is not here and does not come, and why: a sentence.
    Refused(&'static str),
    /// It is not here yet: the part of Rotor that it belongs to.
    Later(&'static str),
    /// The peer has nothing of this name. What it is for: a sentence, where no other table has it.
    New(&'static str),
}

impl Fate {
    /// The word of the page.
    fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Differs(_) => "differs",
            Self::Refused(_) => "refused",
            Self::Later(_) => "later",
            Self::New(_) => "new",
        }
    }

    /// Whether the peer has it.
    fn is_of_the_peer(self) -> bool {
        !matches!(self, Self::New(_))
    }

    /// How, why, or what it belongs to.
    fn text(self) -> &'static str {
        match self {
            Self::Same => "",
            Self::Differs(text) | Self::Refused(text) | Self::Later(text) | Self::New(text) => text,
        }
    }
}
