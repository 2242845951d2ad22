import Glibc
import Synchronization

/// Threads of their own for one sort of work, so that it never blocks an event loop and every sort keeps its share of the cores.
///
/// Use it as a task executor preference: `withTaskExecutorPreference(executor) { … }`.
///
/// SAFETY: `@unchecked` because of the condition variable; all state is behind `mutex`, which every access holds.
package final class WorkerThreads: TaskExecutor, @unchecked Sendable {
    /// The cores that there are.
    package static let coreCount = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    /// For queries: one for each core.
    package static let queries = WorkerThreads(threadCount: coreCount)
    /// For what servers do with a request beside queries: one for each core, and a second one where that is the only.
    package static let requests = WorkerThreads(threadCount: max(2, coreCount))

    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let wakeUp: UnsafeMutablePointer<pthread_cond_t>
    /// Jobs that wait, first come first served; `head` is the next one.
    private var jobs: [UnownedJob] = []
    private var head = 0

    /// Starts the threads; they live as long as the process.
    package init(threadCount: Int) {
        mutex = .allocate(capacity: 1)
        wakeUp = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(wakeUp, nil)
        for _ in 0..<threadCount { startThread() }
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        pthread_mutex_lock(mutex)
        jobs.append(job)
        pthread_cond_signal(wakeUp)
        pthread_mutex_unlock(mutex)
    }

    private func startThread() {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        // Parsers and evaluators recurse: as deep as their limits allow, with room to spare.
        pthread_attr_setstacksize(&attributes, 8 << 20)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self).toOpaque()
        let status = pthread_create(
            &thread, &attributes,
            { context in
                guard let context else { return nil }
                Unmanaged<WorkerThreads>.fromOpaque(context).takeRetainedValue().work()
            }, context)
        pthread_attr_destroy(&attributes)
        precondition(status == 0, "no thread can be started: error \(status)")
    }

    private func work() -> Never {
        let executor = asUnownedTaskExecutor()
        while true {
            next().runSynchronously(on: executor)
        }
    }

    private func next() -> UnownedJob {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while head == jobs.count { pthread_cond_wait(wakeUp, mutex) }
        let job = jobs[head]
        head += 1
        if head == jobs.count {
            jobs.removeAll(keepingCapacity: true)
            head = 0
        }
        return job
    }
}
