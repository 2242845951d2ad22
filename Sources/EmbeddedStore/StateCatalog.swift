package import Telemetry

/// Where small state ends up: what a store needs of its catalogue.
package protocol StateCatalog: StateStore {
    /// Copies it as it is now, and syncs the copy.
    func backup(to target: String) throws(StoreError)
}
