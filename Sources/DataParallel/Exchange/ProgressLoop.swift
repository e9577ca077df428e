import Glibc
import MessagePassing

/// Something that other ranks take part in, and that moves on by being looked at.
package protocol BackgroundWork: AnyObject {
  /// Moves on as far as that goes without waiting.
  /// - Returns: whether anything has moved.
  func advance() throws -> Bool

  /// Whether nothing is left to do. May be asked from any thread.
  var isDone: Bool { get }
}

/// Moves works along: in a thread of its own, beside the computation, or only while somebody waits for them.
///
/// MPI moves long messages only inside its own functions, so communication that is to overlap with computation needs
/// somebody who calls them. The thread sleeps between two looks, which leaves the processor to the computation; while
/// somebody waits it looks more often.
package final class ProgressLoop: @unchecked Sendable {
  /// Whether there is a thread.
  let isBackground: Bool
  // All below is guarded by `mutex`, but for works of a loop without a thread.
  private var works: [any BackgroundWork] = []
  private var failure: (any Error)?
  private var isStopping = false
  private var waiters = 0
  private var thread = pthread_t()
  private let waits: WaitRecord
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  /// There is something to do.
  private let news = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  /// Something has moved.
  private let progress = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  /// How long the thread sleeps when nothing has moved, in nanoseconds: a little at first, then twice as long each time.
  /// The most is what a network of a gigabit takes to fill a socket's buffer.
  private static let shortestNap = 50_000
  private static let longestNap = 800_000
  /// Looks in a row, each giving way to other threads, before one that somebody waits for sleeps too.
  private static let looksBeforeSleep = 100

  /// - Parameter waits: notes when somebody waits here.
  package init(isBackground: Bool, waits: WaitRecord = WaitRecord()) {
    self.isBackground = isBackground
    self.waits = waits
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(news, nil)
    pthread_cond_init(progress, nil)
    if isBackground { startThread() }
  }

  deinit {
    pthread_cond_destroy(progress)
    pthread_cond_destroy(news)
    pthread_mutex_destroy(mutex)
    progress.deallocate()
    news.deallocate()
    mutex.deallocate()
  }

  /// Ends the thread, which keeps the loop alive until then. Works that are not done are left as they are.
  package func stop() {
    guard isBackground else { return }
    var wasStopping = false
    locked {
      wasStopping = isStopping
      isStopping = true
      pthread_cond_signal(news)
    }
    if !wasStopping { pthread_join(thread, nil) }
  }

  /// Takes on a work.
  package func start(_ work: any BackgroundWork) {
    locked {
      works.append(work)
      pthread_cond_signal(news)
    }
  }

  /// Says that a work has more to do now.
  func announceNews() {
    guard isBackground else { return }
    locked { _ = pthread_cond_signal(news) }
  }

  /// Returns once `condition` holds, which the works bring about.
  /// - Throws: what a work has thrown.
  package func wait(until condition: () -> Bool) throws {
    try waits.during { try isBackground ? sleep(until: condition) : moveAlong(until: condition) }
  }

  private func sleep(until condition: () -> Bool) throws {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    waiters += 1
    defer { waiters -= 1 }
    pthread_cond_signal(news)
    while true {
      if let failure { throw failure }
      if condition() { return }
      pthread_cond_wait(progress, mutex)
    }
  }

  private func moveAlong(until condition: () -> Bool) throws {
    var idleLooks = 0
    while !condition() {
      var hasMoved = false
      for work in works where try work.advance() { hasMoved = true }
      works.removeAll { $0.isDone }
      idleLooks = hasMoved ? 0 : idleLooks + 1
      if idleLooks > 0 { Self.giveWay(idleLooks) }
    }
  }

  private static func giveWay(_ idleLooks: Int) {
    if idleLooks <= looksBeforeSleep { sched_yield() } else { usleep(50) }
  }

  private func locked(_ body: () -> Void) {
    pthread_mutex_lock(mutex)
    body()
    pthread_mutex_unlock(mutex)
  }

  // MARK: The thread

  private func startThread() {
    let status = pthread_create(
      &thread, nil,
      { argument in
        Unmanaged<ProgressLoop>.fromOpaque(argument!).takeRetainedValue().run()
        return nil
      }, Unmanaged.passRetained(self).toOpaque())
    guard status == 0 else { fatalError("cannot start a thread: \(String(cString: strerror(status)))") }
  }

  private func run() {
    var idleLooks = 0
    pthread_mutex_lock(mutex)
    while !isStopping {
      guard !works.isEmpty else {
        pthread_cond_wait(news, mutex)
        continue
      }
      let current = works
      pthread_mutex_unlock(mutex)
      var hasMoved = false
      var problem: (any Error)?
      do {
        for work in current where try work.advance() { hasMoved = true }
      } catch {
        problem = error
      }
      pthread_mutex_lock(mutex)
      if let problem {
        failure = problem
        works = []
      }
      works.removeAll { $0.isDone }
      if hasMoved || problem != nil { pthread_cond_broadcast(progress) }
      idleLooks = hasMoved ? 0 : idleLooks + 1
      if idleLooks > 0 && !works.isEmpty { rest(idleLooks) }
    }
    pthread_mutex_unlock(mutex)
  }

  /// Waits a little, or until there are news. The lock is held before and after.
  private func rest(_ idleLooks: Int) {
    if waiters > 0 {
      pthread_mutex_unlock(mutex)
      Self.giveWay(idleLooks)
      pthread_mutex_lock(mutex)
      return
    }
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    time.tv_nsec += min(Self.longestNap, Self.shortestNap << min(idleLooks - 1, 8))
    if time.tv_nsec >= 1_000_000_000 {
      time.tv_nsec -= 1_000_000_000
      time.tv_sec += 1
    }
    pthread_cond_timedwait(news, mutex, &time)
  }
}
