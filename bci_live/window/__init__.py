"""The window: everything Qt. Widgets take snapshots; they own no thread, no LSL, no tensor."""
