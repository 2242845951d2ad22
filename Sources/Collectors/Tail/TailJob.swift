import Settings
import Telemetry
package import Codecs

/// Log files to follow, how they are read, and what makes records of their lines.
package struct TailJob: Sendable {
    /// Which files are expanded, and when.
    package struct Decompression: Sendable, Hashable {
        /// nil: by the file's name.
        package var format: DecompressionStream.Format?
        /// How long after its discovery a file is first read: whoever writes it may not be done.
        package var initialDelay: Duration

        package init(format: DecompressionStream.Format? = nil, initialDelay: Duration = .zero) {
            self.format = format
            self.initialDelay = initialDelay
        }

        /// The format of a file; nil where it is read as it is.
        func format(of path: String) -> DecompressionStream.Format? {
            let name = path.lowercased()
            guard let byName = DecompressionStream.Format.allCases.first(where: { name.hasSuffix("." + $0.rawValue) }) else { return nil }
            return format ?? byName
        }
    }

    /// Tells its remembered positions from those of others; part of no label.
    package var name: String
    /// Globs (``FileGlob``) of the files wanted and of those left out.
    package var include: [String]
    package var exclude: [String]
    package var encoding: LineEncoding?
    /// nil: files are read as they are, whatever their name.
    package var decompression: Decompression?
    /// Differs where lines are handled in another way.
    package var version: String
    /// Makes the handler of a file's lines.
    let handler: @Sendable (_ path: String, _ options: TailOptions, _ time: TimeSource) -> LineHandler

    init(
        name: String, include: [String], exclude: [String] = [], encoding: LineEncoding? = nil, decompression: Decompression? = nil,
        version: String = "",
        handler: @escaping @Sendable (_ path: String, _ options: TailOptions, _ time: TimeSource) -> LineHandler
    ) {
        self.name = name
        self.include = include
        self.exclude = exclude
        self.encoding = encoding
        self.decompression = decompression
        self.version = version
        self.handler = handler
    }

    /// Of an entry of `logs` in `apus.yaml`.
    package init(_ configuration: TailConfiguration) {
        let version = "\(configuration.labels) \(configuration.format)"
        self.init(name: configuration.name, include: configuration.include, exclude: configuration.exclude, version: version) { path, options, time in
            LineHandler(TailDecoder(configuration: configuration, path: path, options: options, time: time))
        }
    }

    /// How a file is read.
    func manner(of path: String) -> TailedFile.Manner {
        TailedFile.Manner(encoding: encoding, compression: decompression?.format(of: path))
    }

    /// Whether it wants a file of that path.
    func wants(_ path: String) -> Bool {
        include.contains { FileGlob.matches(path, $0) } && !exclude.contains { FileGlob.matches(path, $0) }
    }
}
