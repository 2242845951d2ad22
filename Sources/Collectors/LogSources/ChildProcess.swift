import Glibc

/// A program whose standard output is read here. It ends with the last reference.
final class ChildProcess: Sendable {
    private let output: Int32
    private let pid: pid_t
    private let name: String

    /// Starts `arguments[0]`, which is looked for on the PATH.
    init(_ arguments: [String]) throws {
        name = arguments.first ?? ""
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw SourceError("no pipe can be made: \(String(cString: strerror(errno)))") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // Dispatch's threads block signals; a child that inherited that would not hear of SIGTERM.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        var pid = pid_t()
        let status = posix_spawnp(&pid, name, &actions, &attributes, words, environ)
        close(ends[1])
        guard status == 0 else {
            close(ends[0])
            throw SourceError("\(name) cannot be started: \(String(cString: strerror(status)))")
        }
        self.pid = pid
        output = ends[0]
    }

    deinit {
        // Nobody reads it any more: it has nothing to put in order.
        kill(pid, SIGKILL)
        close(output)
        var status: Int32 = 0
        waitpid(pid, &status, 0)
    }

    /// Ends it: a read that waits returns.
    func terminate() {
        kill(pid, SIGTERM)
    }

    /// What it writes next, waiting for it; none at its end. Blocks.
    func read(byteCountMax: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: byteCountMax) { buffer, initializedCount in
            var got: Int
            repeat { got = Glibc.read(output, buffer.baseAddress, byteCountMax) } while got < 0 && errno == EINTR
            initializedCount = max(0, got)
        }
    }
}
