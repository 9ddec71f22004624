//! A table of faults: one line each, from which the type with all its names is made.

macro_rules! faults {
    ($(#[doc = $about:literal])+ $enum:ident { $($name:ident: $what:literal,)+ }) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $enum { $(#[doc = $what] $name,)+ }

        impl $enum {
            /// Every fault there is.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// Finds a fault by its name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|fault| fault.name().eq_ignore_ascii_case(name))
            }

            /// Its name, as the mutant's `--fault` takes it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// Its effect, in a line.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self { $(Self::$name => $what,)+ }
            }
        }

        impl $crate::case::Defect for $enum {
            fn name(self) -> &'static str {
                Self::name(self)
            }

            fn description(self) -> &'static str {
                Self::description(self)
            }
        }
    };
}

pub(super) use faults;
