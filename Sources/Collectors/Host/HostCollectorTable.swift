/// Every collector there is. To add one: write its file, and a line here.
enum HostCollectorTable {
    struct Entry: Sendable {
        /// Node exporter's name, the value of the label `collector`.
        var name: String
        var make: @Sendable (HostMetricsConfiguration) -> any HostCollector
    }

    static let entries: [Entry] = [
        Entry(name: "arp") { _ in ARPCollector() },
        Entry(name: "conntrack") { _ in ConntrackCollector() },
        Entry(name: "cpu") { _ in CPUCollector() },
        Entry(name: "cpufreq") { _ in CPUFrequencyCollector() },
        Entry(name: "diskstats") { DiskstatsCollector(exclude: $0.diskDevices?.pattern) },
        Entry(name: "entropy") { _ in EntropyCollector() },
        Entry(name: "filefd") { _ in FileDescriptorCollector() },
        Entry(name: "filesystem") {
            FilesystemCollector(mountPointExclude: $0.mountPoints?.pattern, typeExclude: $0.filesystemTypes?.pattern)
        },
        Entry(name: "hwmon") { _ in HwmonCollector() },
        Entry(name: "loadavg") { _ in LoadCollector() },
        Entry(name: "meminfo") { _ in MeminfoCollector() },
        Entry(name: "netclass") { NetClassCollector(exclude: $0.netDevices?.pattern) },
        Entry(name: "netdev") { NetDeviceCollector(exclude: $0.netDevices?.pattern) },
        Entry(name: "netstat") { _ in NetstatCollector() },
        Entry(name: "nvme") { _ in NVMeCollector() },
        Entry(name: "os") { _ in OSReleaseCollector() },
        Entry(name: "powersupplyclass") { _ in PowerSupplyCollector() },
        Entry(name: "pressure") { _ in PressureCollector() },
        Entry(name: "schedstat") { _ in SchedstatCollector() },
        Entry(name: "selinux") { _ in SELinuxCollector() },
        Entry(name: "sockstat") { _ in SockstatCollector() },
        Entry(name: "softnet") { _ in SoftnetCollector() },
        Entry(name: "stat") { _ in StatCollector() },
        Entry(name: "textfile") { TextfileCollector(folders: $0.textfileFolders) },
        Entry(name: "thermal_zone") { _ in ThermalZoneCollector() },
        Entry(name: "time") { _ in TimeCollector() },
        Entry(name: "timex") { _ in TimexCollector() },
        Entry(name: "udp_queues") { _ in UDPQueueCollector() },
        Entry(name: "uname") { _ in UnameCollector() },
        Entry(name: "vmstat") { _ in VmstatCollector() },
    ]

    static let names = entries.map(\.name)
}
