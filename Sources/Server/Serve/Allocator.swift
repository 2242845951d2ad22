import CIntrinsics

/// glibc's allocator, set for a server whose large buffers come and go with every request.
enum Allocator {
    /// Buffers up to it are kept for the next request; above it they are mapped, and given back at once. By default that is at 128 KiB: each
    /// body would be mapped, cleared page by page by the kernel, and unmapped.
    private static let mappedByteCountMin: Int32 = 8 << 20
    /// Free memory at the top of the heap beyond it goes back to the system.
    private static let trimByteCount: Int32 = 16 << 20
    /// By default there are eight arenas a core, each with free memory of its own.
    private static let arenaCountMax: Int32 = 4

    /// Once, before the first request.
    static func configure() {
        apus_configure_allocator(mappedByteCountMin, trimByteCount, arenaCountMax)
    }
}
