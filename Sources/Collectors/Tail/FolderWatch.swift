import Dispatch
import Glibc
import Synchronization

/// Wakes a task as soon as anything happens in some folders (inotify(7)). Polling goes on beside it: network file systems report nothing.
// SAFETY: `source` is made in `init`, cancelled in `deinit` and not touched between; everything else is Sendable.
final class FolderWatch: @unchecked Sendable {
    private let descriptor: Int32
    private let source: any DispatchSourceRead
    /// By path, the watch's number.
    private let watches = Mutex<[String: Int32]>([:])
    private let signal = WakeUp()
    /// All that makes lines come or files appear or go.
    private static let mask = UInt32(IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR)

    /// nil where the kernel gives no more watchers.
    init?() {
        descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard descriptor >= 0 else { return nil }
        source = DispatchSource.makeReadSource(
            fileDescriptor: descriptor, queue: DispatchQueue(label: "apus.inotify", qos: .utility))
        let descriptor = descriptor
        source.setEventHandler { [signal] in
            Self.drain(descriptor)
            signal.send()
        }
        source.setCancelHandler { close(descriptor) }
        source.activate()
    }

    deinit {
        source.cancel()
    }

    /// Watches these folders and no others.
    ///
    /// - Returns: whether all of them are watched (the kernel has a limit, `fs.inotify.max_user_watches`).
    func watch(_ folders: Set<String>) -> Bool {
        watches.withLock { watches in
            for (path, watch) in watches where !folders.contains(path) {
                inotify_rm_watch(descriptor, watch)
                watches[path] = nil
            }
            for path in folders {
                // Also where it is watched already: another folder may have its name by now.
                let watch = inotify_add_watch(descriptor, path, Self.mask)
                watches[path] = watch >= 0 ? watch : nil
            }
            return watches.count == folders.count
        }
    }

    /// Returns when something has happened since the last call, after `timeout`, or when the task is cancelled.
    func wait(atMost timeout: Duration) async { await signal.wait(atMost: timeout) }

    private static func drain(_ descriptor: Int32) {
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while read(descriptor, &buffer, buffer.count) > 0 {}
    }
}
