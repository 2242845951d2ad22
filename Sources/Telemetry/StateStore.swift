/// Small state that must outlive a restart and is no telemetry: positions of tailed files, state of alerts, silences.
/// A value is opaque bytes under a namespace and a key.
package protocol StateStore: Sendable {
    func value(_ key: String, in namespace: String) throws(StoreError) -> [UInt8]?
    func values(in namespace: String) throws(StoreError) -> [String: [UInt8]]
    /// Sets the values durably and all at once; nil removes a key.
    func set(_ values: [String: [UInt8]?], in namespace: String) throws(StoreError)
}
