//! Where everybody is: one channel, one topic.

/// The channel of IRC.
pub const CHANNEL: &str = "#load";

/// The topic of MQTT.
pub const TOPIC: &str = "load";
