import Glibc

/// A value that threads access in turn, and whose changes they can wait for: a mutex and a condition variable (C. A. R.
/// Hoare: "Monitors: an operating system structuring concept", CACM 17(10), 1974).
package final class Monitor<Value: Sendable>: @unchecked Sendable {
  /// Guarded by `mutex`.
  private let value = UnsafeMutablePointer<Value>.allocate(capacity: 1)
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  package init(_ value: Value) {
    self.value.initialize(to: value)
    pthread_mutex_init(mutex, nil)
    // Times are measured with a clock that is never adjusted.
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(changed, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(changed)
    pthread_mutex_destroy(mutex)
    value.deinitialize(count: 1)
    changed.deallocate()
    mutex.deallocate()
    value.deallocate()
  }

  /// Runs `body` with exclusive access to the value. Wakes no waiting thread. Not reentrant.
  package func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return try body(&value.pointee)
  }

  /// Changes the value and wakes waiting threads, so that they check it.
  /// - Parameter count: the maximum number of threads to wake; by default all.
  package func update<Result>(waking count: Int = .max, _ body: (inout Value) throws -> Result) rethrows -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    let result = try body(&value.pointee)
    if count == .max { pthread_cond_broadcast(changed) } else { for _ in 0..<count { pthread_cond_signal(changed) } }
    return result
  }

  /// Sleeps until `body`, which is called after every update, returns a value.
  package func wait<Result>(for body: (inout Value) throws -> Result?) rethrows -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while true {
      if let result = try body(&value.pointee) { return result }
      pthread_cond_wait(changed, mutex)
    }
  }

  /// The same, for at most `duration`.
  /// - Returns: nil if the time has passed.
  package func wait<Result>(
    atMost duration: Duration, for body: (inout Value) throws -> Result?
  ) rethrows -> Result? {
    var deadline = Self.deadline(in: duration)
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while true {
      if let result = try body(&value.pointee) { return result }
      if pthread_cond_timedwait(changed, mutex, &deadline) == ETIMEDOUT { return try body(&value.pointee) }
    }
  }

  private static func deadline(in duration: Duration) -> timespec {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    let (seconds, attoseconds) = duration.components
    let nanoseconds = time.tv_nsec + Int(attoseconds / 1_000_000_000)
    return timespec(
      tv_sec: time.tv_sec + Int(seconds) + nanoseconds / 1_000_000_000, tv_nsec: nanoseconds % 1_000_000_000)
  }
}
