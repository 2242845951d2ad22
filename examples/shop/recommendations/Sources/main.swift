import ApusKit
import Foundation
import Hummingbird
import Logging

// The shop's second service: which products go with one. Environment: HOST (127.0.0.1), PORT (8081), and those of
// ApusKit.

do {
    try await RecommendationsServer.run(environment: ProcessInfo.processInfo.environment)
} catch {
    FileHandle.standardError.write(Data("recommendations: \(error)\n".utf8))
    exit(1)
}
