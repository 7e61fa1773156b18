import Testing

/// One at a time: a process has one set of signal handlers.
@Suite(.serialized) enum CaptureTests {}
