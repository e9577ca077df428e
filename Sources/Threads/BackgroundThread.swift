import CProcessor
import Glibc

/// A thread that runs beside the one that started it. If it is released before `join`, it continues to run.
package struct BackgroundThread: ~Copyable, Sendable {
  private let thread: pthread_t

  /// Starts the thread. If the system refuses, ends the process with status 1.
  /// - Parameters:
  ///   - name: the name in debuggers and `top -H`, which show 15 bytes of it.
  ///   - advice: what the user can do if the thread cannot be started.
  package init(_ name: String, advice: String? = nil, _ body: @escaping @Sendable () -> Void) {
    let task = Task {
      ddpm_name_thread(String(decoding: name.utf8.prefix(15), as: UTF8.self))
      body()
    }
    var thread = pthread_t()
    let status = pthread_create(
      &thread, nil,
      { task in
        Unmanaged<Task>.fromOpaque(task!).takeRetainedValue().run()
        return nil
      }, Unmanaged.passRetained(task).toOpaque())
    guard status == 0 else {
      let reason = String(cString: strerror(status))
      endProcess("cannot start thread \(name): \(reason)" + (advice.map { "; \($0)" } ?? ""))
    }
    self.thread = thread
  }

  /// Returns when the thread has ended.
  package consuming func join() {
    pthread_join(thread, nil)
    discard self
  }

  deinit { pthread_detach(thread) }

  private final class Task {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }
}
