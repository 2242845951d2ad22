import Telemetry

/// The 64-bit hash that names a stream: the same in every process, so that days written apart agree on it.
///
/// The top 12 bits come from the metric's (or service's) name alone: parts are sorted by id, so the streams that one query reads
/// lie together. The other 52 come from all labels, and for spans the resource. Two label sets with one hash get ids of their
/// own where they meet (``StreamRegistry``, ``DayIndex``).
struct StreamHash {
    private var state: UInt64

    private init(seed: UInt64) {
        state = seed
    }

    static func id(_ signal: Signal, _ labels: Labels, _ resource: Resource) -> UInt64 {
        var whole = StreamHash(seed: 0x6a09_e667_f3bc_c908)
        var group = StreamHash(seed: 0xbb67_ae85_84ca_a73b)
        let groupName =
            switch signal {
            case .metrics: Labels.metricName
            case .logs, .profiles: ProfileType.serviceLabelName
            case .spans: "service.name"
            }
        for pair in labels.pairs {
            whole.combine(pair.name)
            whole.combine(pair.value)
            if pair.name == groupName { group.combine(pair.value) }
        }
        if signal == .spans {
            // Attributes whose texts are equal may differ in type or order.
            for attribute in resource.attributes {
                whole.combine(attribute.name)
                whole.combine(kind(attribute.value))
            }
        }
        return (group.state & 0xfff0_0000_0000_0000) | (whole.state & 0x000f_ffff_ffff_ffff)
    }

    /// The hash of one label, for tables in memory.
    static func hash(_ label: Label) -> UInt64 {
        var hash = StreamHash(seed: 0x6a09_e667_f3bc_c908)
        hash.combine(label.name)
        hash.combine(label.value)
        return hash.state
    }

    /// The hash of a trace id, for the filters of parts.
    static func hash(_ id: TraceID) -> UInt64 {
        mix(id.high ^ 0x9e37_79b9_7f4a_7c15, id.low ^ 0xa54f_f53a_5f1d_36f1)
    }

    private static func kind(_ value: AttributeValue) -> UInt64 {
        switch value {
        case .empty: 0
        case .string: 1
        case .bool: 2
        case .int: 3
        case .double: 4
        case .bytes: 5
        case .array: 6
        case .map: 7
        }
    }

    private mutating func combine(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            let raw = UnsafeRawBufferPointer(bytes)
            combine(UInt64(raw.count))
            var offset = 0
            while offset + 8 <= raw.count {
                combine(UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
                offset += 8
            }
            var rest: UInt64 = 0
            while offset < raw.count {
                rest = rest << 8 | UInt64(raw[offset])
                offset += 1
            }
            combine(rest)
        }
    }

    private mutating func combine(_ word: UInt64) {
        state = Self.mix(state ^ 0x3c6e_f372_fe94_f82b, word ^ 0xa54f_f53a_5f1d_36f1) ^ state.rotated
    }

    /// Both halves of the 128-bit product, folded (wyhash; Wang Yi, 2019).
    private static func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}

extension UInt64 {
    fileprivate var rotated: UInt64 { self << 23 | self >> 41 }
}
