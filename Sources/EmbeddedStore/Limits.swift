/// The bounds of the engine, each with its reason.
enum Limits {
    /// A replay of one segment holds it in memory once; each introduces the streams anew, so that it should hold many rows of each.
    static let segmentByteCountMax = 64 << 20
    /// What a group commit writes at once: above it, the first waiters would wait for the last ones' bytes.
    static let commitByteCountMax = 8 << 20
    /// A record is one request's rows, and requests are bounded (32 MiB) by the server.
    static let recordByteCountMax = 256 << 20
    /// Exponential histograms of schema 8 span 2^11 buckets a sign in practice; custom bounds are fewer.
    static let histogramBucketCountMax = 1 << 16

    /// Floats of a block: at one sample every 15 s, 17 hours.
    static let floatRowCountMax = 4096
    /// Rows of a chunk of any kind: what a reader takes for true.
    static let chunkRowCountMax = 4096
    /// Rows of a block of anything else: a point look-up decodes one block.
    static let rowCountMax = 1024
    /// Spans of a block: a point look-up reads a few columns of two blocks, and dictionaries are shared by twice as many rows.
    static let spanRowCountMax = 2048
    /// Bytes of a block's rows before compression: a point look-up expands one block.
    static let blockByteCountMax = 256 << 10
    /// A page is finished when it holds this much: a point look-up reads one, and its header is decoded as a whole.
    static let pageByteCount = 48 << 10
    /// A chunk that would make a page larger than this begins a new one.
    static let pageByteCountMax = 96 << 10
    /// Of smaller pages with one block of logs all is read at once: a second read costs more than the bytes.
    static let outlinedPageByteCountMin = 16 << 10
    /// Heads of blocks of logs, and small pages, that stay in memory while their parts are read: some 6 KB for each 4,096 lines.
    static let outlineCacheByteCountMax = 48 << 20
    /// Pages that the readers of one scan keep, in all: a scan in the order of time comes back to them for stream after stream.
    static let scanCacheByteCountMax = 16 << 20
    /// Value pages that are kept from scan to scan, in all: those of some hundred series' last hours.
    static let pageCacheByteCountMax = 16 << 20
    /// Rounds of background work (half a second each) after which a part that nobody reads forgets its index and filter.
    static let cacheRoundCountMax = 240
    /// Rows that a scan hands over at once when they come from memory or from several parts.
    static let scanRowCountMax = 4096

    /// A block's rows after decompression: one row may be as large as a record.
    static let blockContentByteCountMax = recordByteCountMax

    /// Parts of a day that are merged at once.
    static let mergePartCountMax = 16
    /// Parts of about one size before they are merged.
    static let mergePartCountMin = 4
    /// Parts of a day that make merges hurry: reads open each of them.
    static let partCountUrgent = 32
    /// Streams of one record of a day's index.
    static let indexRecordStreamCountMax = 4096
    /// Damaged places that are remembered one by one: enough to find the files, whatever became of the disk.
    static let damageCountMax = 256
}
