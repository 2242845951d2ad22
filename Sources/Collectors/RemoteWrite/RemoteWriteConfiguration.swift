/// One entry of `remote_write`: where samples are sent, which, and how.
package struct RemoteWriteConfiguration: Sendable, Hashable {
    package enum Message: String, Sendable, Hashable, CaseIterable {
        case v1 = "prometheus.WriteRequest"
        case v2 = "io.prometheus.write.v2.Request"
    }

    package struct Header: Sendable, Hashable {
        package var name: String
        package var value: String
    }

    /// `queue_config`. `capacity` has no meaning here: what waits is on disk.
    package struct Queue: Sendable, Hashable {
        package var capacity = 10_000
        package var shardCountMax = 50
        package var shardCountMin = 1
        package var sampleCountPerSendMax = 2_000
        package var batchSendDeadline: Duration = .seconds(5)
        package var backoffMin: Duration = .milliseconds(30)
        package var backoffMax: Duration = .seconds(5)
        /// Whether 429 is a reason to try again rather than to drop.
        package var retriesOnTooManyRequests = false
        /// Older samples are dropped; zero: none are.
        package var sampleAgeLimit: Duration = .zero

        package init() {}
    }

    /// `metadata_config`: metadata of their own requests, which only 1.0 has.
    package struct Metadata: Sendable, Hashable {
        package var isSent = true
        package var interval: Duration = .seconds(60)
        package var countPerSendMax = 2_000

        package init() {}
    }

    /// Unique among the entries; positions in the queue go by it.
    package var name: String
    package var url: String
    package var timeout: Duration = .seconds(30)
    package var headers: [Header] = []
    package var relabelRules: [RelabelRule] = []
    package var sendsExemplars = false
    package var sendsNativeHistograms = false
    package var message = Message.v1
    package var queue = Queue()
    package var metadata = Metadata()
    package var http = HTTPClientOptions()

    package init(name: String, url: String) {
        self.name = name
        self.url = url
    }
}
