import Foundation
import Logging
import Settings
import Telemetry
import TestSupport
import Testing

@testable import Collectors

/// A tree of files below a scratch folder, as a kernel would show it.
struct FileTree {
    let folder: ScratchFolder

    init(_ files: [String: String]) throws {
        folder = try ScratchFolder()
        for (path, text) in files { try write(path, text) }
    }

    var path: String { folder.path }

    func write(_ path: String, _ text: String) throws {
        let url = folder.url.appending(path: path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    func remove(_ path: String) throws { try FileManager.default.removeItem(at: folder.url.appending(path: path)) }
}

@Suite("Host metrics")
struct HostMetricsTests {
    /// Runs collectors once on a tree: `NAME{label="value"}` to value, without the target's labels and those about the collectors.
    static func measure(
        _ tree: FileTree, _ collectors: String..., configure: (inout HostMetricsConfiguration) -> Void = { _ in }
    ) -> [String: Double] {
        rows(source(tree, Set(collectors), configure).measureNow(at: 1_000).batch)
    }

    static func source(
        _ tree: FileTree, _ collectors: Set<String>, _ configure: (inout HostMetricsConfiguration) -> Void = { _ in }
    ) -> HostMetrics {
        var configuration = HostMetricsConfiguration(labels: .empty)
        configuration.paths = HostPaths(root: tree.path)
        configuration.collectors = collectors
        configure(&configuration)
        return HostMetrics(configuration: configuration, time: TestClock(milliseconds: 1_000).source, logger: Logger(label: "test"))
    }

    static func rows(_ batch: MetricBatch) -> [String: Double] {
        var rows: [String: Double] = [:]
        for index in 0..<batch.sampleCount {
            let labels = batch.series[Int(batch.sampleSeries[index])]
            let name = labels[Labels.metricName] ?? ""
            if name.hasPrefix("node_scrape_collector") { continue }
            let rest = labels.withoutMetricName
            rows[rest.isEmpty ? name : name + rest.description] = batch.values[index]
        }
        return rows
    }

    @Test("CPU times are seconds by CPU and mode, guests apart; counters of the machine come from the same file")
    func cpu() throws {
        let tree = try FileTree([
            "proc/stat": """
            cpu  10 0 0 0 0 0 0 0 0 0
            cpu0 150 1 200 3000 40 0 5 6 7 8
            cpu12 1 2 3 4 5 6 7 8 9 10
            intr 123456789 1 2 3
            ctxt 42
            btime 1700000000
            processes 99
            procs_running 3
            procs_blocked 1
            softirq 1 2 3

            """,
            "sys/devices/system/cpu/isolated": "2-3,7\n",
            "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count": "5\n",
            "sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count": "6\n",
            "sys/devices/system/cpu/cpu0/topology/physical_package_id": "0\n", "sys/devices/system/cpu/cpu0/topology/core_id": "3\n",
        ])
        let rows = Self.measure(tree, "cpu", "stat")
        #expect(rows[#"node_cpu_seconds_total{cpu="0", mode="user"}"#] == 1.5)
        #expect(rows[#"node_cpu_seconds_total{cpu="0", mode="idle"}"#] == 30)
        #expect(rows[#"node_cpu_seconds_total{cpu="12", mode="steal"}"#] == 0.08)
        #expect(rows[#"node_cpu_guest_seconds_total{cpu="0", mode="nice"}"#] == 0.08)
        #expect(rows[#"node_cpu_isolated{cpu="3"}"#] == 1)
        #expect(rows[#"node_cpu_isolated{cpu="7"}"#] == 1)
        #expect(rows[#"node_cpu_core_throttles_total{core="3", package="0"}"#] == 5)
        #expect(rows[#"node_cpu_package_throttles_total{package="0"}"#] == 6)
        #expect(rows["node_intr_total"] == 123_456_789)
        #expect(rows["node_context_switches_total"] == 42)
        #expect(rows["node_boot_time_seconds"] == 1_700_000_000)
        #expect(rows["node_forks_total"] == 99)
        #expect(rows["node_procs_running"] == 3)
        #expect(rows["node_procs_blocked"] == 1)
    }

    @Test("a CPU's counters never fall by the kernel's rounding, but begin anew with another CPU in the place")
    func fallingCounters() throws {
        let tree = try FileTree(["proc/stat": "cpu0 100 0 0 1000 0 0 0 0 0 0\n"])
        let source = Self.source(tree, ["cpu"])
        _ = source.measureNow(at: 1)
        try tree.write("proc/stat", "cpu0 110 0 0 999 0 0 0 0 0 0\n")
        var rows = Self.rows(source.measureNow(at: 2).batch)
        #expect(rows[#"node_cpu_seconds_total{cpu="0", mode="idle"}"#] == 10)
        #expect(rows[#"node_cpu_seconds_total{cpu="0", mode="user"}"#] == 1.1)
        try tree.write("proc/stat", "cpu0 1 0 0 50 0 0 0 0 0 0\n")
        rows = Self.rows(source.measureNow(at: 3).batch)
        #expect(rows[#"node_cpu_seconds_total{cpu="0", mode="idle"}"#] == 0.5)
        #expect(rows[#"node_cpu_seconds_total{cpu="0", mode="user"}"#] == 0.01)
    }

    @Test("memory is in bytes; fields without a unit are counts")
    func meminfo() throws {
        let tree = try FileTree(["proc/meminfo": "MemTotal:       1024 kB\nActive(anon):  2 kB\nHugePages_Total:       3\n"])
        #expect(
            Self.measure(tree, "meminfo") == [
                "node_memory_MemTotal_bytes": 1_048_576, "node_memory_Active_anon_bytes": 2_048, "node_memory_HugePages_Total": 3,
            ])
    }

    @Test("disks: sectors are bytes, milliseconds seconds; partitions are left out; a kernel with fewer columns gives fewer")
    func disks() throws {
        let tree = try FileTree([
            "proc/diskstats": """
               8       0 sda 1 2 3 4000 5 6 7 8000 9 10000 11000 12 13 14 15000 16 17000
               8       1 sda1 1 1 1 1 1 1 1 1 1 1 1
             253       0 dm-0 1 2 3 4 5 6 7 8 9 10 11

            """,
            "run/udev/data/b8:0": "S:disk\nE:ID_MODEL=Fast\nE:ID_SERIAL_SHORT=S1\nE:ID_FS_TYPE=ext4\n",
            "sys/block/sda/queue/rotational": "1\n", "run/udev/data/b253:0": "E:DM_NAME=root\nE:DM_VG_NAME=vg\n",
        ])
        let rows = Self.measure(tree, "diskstats")
        #expect(rows[#"node_disk_reads_completed_total{device="sda"}"#] == 1)
        #expect(rows[#"node_disk_read_bytes_total{device="sda"}"#] == 1_536)
        #expect(rows[#"node_disk_read_time_seconds_total{device="sda"}"#] == 4)
        #expect(rows[#"node_disk_written_bytes_total{device="sda"}"#] == 3_584)
        #expect(rows[#"node_disk_io_now{device="sda"}"#] == 9)
        #expect(rows[#"node_disk_flush_requests_time_seconds_total{device="sda"}"#] == 17)
        #expect(rows[#"node_disk_discards_completed_total{device="dm-0"}"#] == nil)
        #expect(rows[#"node_disk_io_time_weighted_seconds_total{device="dm-0"}"#] == 0.011)
        #expect(rows[#"node_disk_info{device="sda", major="8", minor="0", model="Fast", rotational="1", serial="S1"}"#] == 1)
        #expect(rows[#"node_disk_filesystem_info{device="sda", type="ext4"}"#] == 1)
        #expect(rows[#"node_disk_device_mapper_info{device="dm-0", name="root", vg_name="vg"}"#] == 1)
        #expect(!rows.keys.contains { $0.contains("sda1") })
    }

    @Test("file systems: the kernel's own are left out, names are unescaped, one that cannot be asked says why")
    func filesystems() throws {
        let tree = try FileTree([
            "proc/1/mountinfo": """
            22 27 0:21 / /proc rw - proc proc rw
            23 27 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
            24 27 8:2 / /data\\040one ro - xfs /dev/sda2 rw
            25 27 8:3 / /gone rw - ext4 /dev/sda3 rw
            26 27 8:3 / /gone rw - ext4 /dev/sda3 rw
            27 27 0:5 / /dev/shm rw - tmpfs tmpfs rw

            """,
            "data one/x": "", "proc/self/mountinfo": "",
        ])
        let rows = Self.measure(tree, "filesystem")
        #expect((rows[#"node_filesystem_size_bytes{device="/dev/sda1", fstype="ext4", mountpoint="/"}"#] ?? 0) > 0)
        #expect(rows[#"node_filesystem_readonly{device="/dev/sda1", fstype="ext4", mountpoint="/"}"#] == 0)
        #expect(rows[#"node_filesystem_readonly{device="/dev/sda2", fstype="xfs", mountpoint="/data one"}"#] == 1)
        #expect(rows[#"node_filesystem_device_error{device="/dev/sda2", fstype="xfs", mountpoint="/data one"}"#] == 0)
        #expect(rows[#"node_filesystem_mount_info{device="/dev/sda1", major="8", minor="1", mountpoint="/"}"#] == 1)
        let error = #"{device="/dev/sda3", device_error="no such file or directory", fstype="ext4", mountpoint="/gone"}"#
        #expect(rows["node_filesystem_device_error" + error] == 1)
        #expect(!rows.keys.contains { $0.contains("proc") || $0.contains("tmpfs") })
    }

    @Test("network devices: bytes and errors, settings, and a pattern that leaves some out")
    func network() throws {
        let tree = try FileTree([
            "proc/1/net/dev": """
            Inter-|   Receive                                                |  Transmit
             face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
              eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16
            vethab:9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9

            """,
            "sys/class/net/eth0/statistics/rx_nohandler": "21\n", "sys/class/net/eth0/operstate": "up\n", "sys/class/net/eth0/mtu": "1500\n",
            "sys/class/net/eth0/flags": "0x1003\n", "sys/class/net/eth0/speed": "10000\n", "sys/class/net/eth0/address": "02:00\n",
            "sys/class/net/eth0/dev_id": "0x10\n", "sys/class/net/vethab/operstate": "up\n", "sys/class/net/bonding_masters": "\n",
        ])
        let rows = Self.measure(tree, "netdev", "netclass") { $0.netDevices = .standard("^veth") }
        #expect(rows[#"node_network_receive_bytes_total{device="eth0"}"#] == 1)
        #expect(rows[#"node_network_receive_drop_total{device="eth0"}"#] == 4)
        #expect(rows[#"node_network_transmit_bytes_total{device="eth0"}"#] == 9)
        #expect(rows[#"node_network_transmit_compressed_total{device="eth0"}"#] == 16)
        #expect(rows[#"node_network_receive_nohandler_total{device="eth0"}"#] == 21)
        #expect(rows[#"node_network_up{device="eth0"}"#] == 1)
        #expect(rows[#"node_network_flags{device="eth0"}"#] == 4_099)
        #expect(rows[#"node_network_device_id{device="eth0"}"#] == 16)
        #expect(rows[#"node_network_speed_bytes{device="eth0"}"#] == 1.25e9)
        #expect(rows[#"node_network_info{address="02:00", adminstate="up", device="eth0", operstate="up"}"#] == 1)
        #expect(!rows.keys.contains { $0.contains("veth") })
    }

    @Test("protocol statistics: node exporter's default fields and no others")
    func protocols() throws {
        let tree = try FileTree([
            "proc/1/net/netstat": "TcpExt: SyncookiesSent ListenDrops Odd\nTcpExt: 1 2 3\nIpExt: InOctets InX\nIpExt: 4 5\n",
            "proc/1/net/snmp": "Ip: Forwarding DefaultTTL\nIp: 2 64\nUdp: InDatagrams InErrors\nUdp: 7 8\n",
            "proc/1/net/snmp6": "Ip6InOctets \t 9\nUdp6InErrors 10\nIp6OutRequests 11\n",
            "proc/1/net/sockstat": "sockets: used 12\nTCP: inuse 2 orphan 0 tw 1 alloc 3 mem 2\n", "proc/1/net/sockstat6": "TCP6: inuse 4\n",
            "proc/1/net/softnet_stat": "0000002f 00000001 00000002 0 0 0 0 0 0 0 0 00000003 00000005 0 0\n",
            "proc/1/net/udp": "sl local rem st tx:rx\n 0: 0100007F:14E9 00000000:0000 07 00000010:00000020 00:00000000 0\n",
            "proc/1/net/arp": "IP HW Flags Address Mask Device\n10.0.0.1 0x1 0x2 aa:bb * eth0\n10.0.0.2 0x1 0x2 aa:bc * eth0\n",
        ])
        let rows = Self.measure(tree, "netstat", "sockstat", "softnet", "udp_queues", "arp")
        let page = Double(sysconf(Int32(_SC_PAGESIZE)))
        #expect(
            rows == [
                "node_netstat_TcpExt_SyncookiesSent": 1, "node_netstat_TcpExt_ListenDrops": 2, "node_netstat_IpExt_InOctets": 4,
                "node_netstat_Ip_Forwarding": 2, "node_netstat_Udp_InDatagrams": 7, "node_netstat_Udp_InErrors": 8,
                "node_netstat_Ip6_InOctets": 9, "node_netstat_Udp6_InErrors": 10, "node_sockstat_sockets_used": 12,
                "node_sockstat_TCP_inuse": 2, "node_sockstat_TCP_orphan": 0, "node_sockstat_TCP_tw": 1, "node_sockstat_TCP_alloc": 3,
                "node_sockstat_TCP_mem": 2, "node_sockstat_TCP_mem_bytes": 2 * page, "node_sockstat_TCP6_inuse": 4,
                #"node_softnet_processed_total{cpu="5"}"#: 47, #"node_softnet_dropped_total{cpu="5"}"#: 1,
                #"node_softnet_times_squeezed_total{cpu="5"}"#: 2, #"node_softnet_cpu_collision_total{cpu="5"}"#: 0,
                #"node_softnet_received_rps_total{cpu="5"}"#: 0, #"node_softnet_flow_limit_count_total{cpu="5"}"#: 0,
                #"node_softnet_backlog_len{cpu="5"}"#: 3, #"node_udp_queues{ip="v4", queue="tx"}"#: 16,
                #"node_udp_queues{ip="v4", queue="rx"}"#: 32, #"node_arp_entries{device="eth0"}"#: 2,
            ])
    }

    @Test("pressure, vmstat, load, descriptors, entropy, connection tracking, schedstat")
    func smallFiles() throws {
        let tree = try FileTree([
            "proc/pressure/cpu": "some avg10=0.00 avg60=0.00 avg300=0.00 total=1500000\nfull avg10=0 avg60=0 avg300=0 total=7\n",
            "proc/pressure/io": "some avg10=0.00 avg60=0.00 avg300=0.00 total=2000000\nfull avg10=0 avg60=0 avg300=0 total=500000\n",
            "proc/vmstat": "nr_free_pages 1\npgpgin 2\npswpin 3\npgfault 4\npgmajfault 5\noom_kill 6\npgsteal_kswapd 7\n",
            "proc/loadavg": "0.50 1.25 2.00 1/100 4242\n", "proc/sys/fs/file-nr": "100\t0\t2000\n",
            "proc/sys/kernel/random/entropy_avail": "256\n", "proc/sys/kernel/random/poolsize": "256\n",
            "proc/sys/net/netfilter/nf_conntrack_count": "3\n", "proc/sys/net/netfilter/nf_conntrack_max": "9\n",
            "proc/1/net/stat/nf_conntrack": "entries found insert_failed drop\n0000 0000000a 1 2\n0000 0000000b 3 4\n",
            "proc/schedstat": "version 15\ntimestamp 1\ncpu0 0 0 0 0 0 0 2500000000 500000000 7\ndomain0 1\n",
        ])
        let rows = Self.measure(tree, "pressure", "vmstat", "loadavg", "filefd", "entropy", "conntrack", "schedstat")
        #expect(
            rows == [
                "node_pressure_cpu_waiting_seconds_total": 1.5, "node_pressure_io_waiting_seconds_total": 2,
                "node_pressure_io_stalled_seconds_total": 0.5, "node_vmstat_pgpgin": 2, "node_vmstat_pswpin": 3, "node_vmstat_pgfault": 4,
                "node_vmstat_pgmajfault": 5, "node_vmstat_oom_kill": 6, "node_load1": 0.5, "node_load5": 1.25, "node_load15": 2,
                "node_filefd_allocated": 100, "node_filefd_maximum": 2_000, "node_entropy_available_bits": 256,
                "node_entropy_pool_size_bits": 256, "node_nf_conntrack_entries": 3, "node_nf_conntrack_entries_limit": 9,
                "node_nf_conntrack_stat_found": 21, "node_nf_conntrack_stat_insert_failed": 4, "node_nf_conntrack_stat_drop": 6,
                #"node_schedstat_running_seconds_total{cpu="0"}"#: 2.5, #"node_schedstat_waiting_seconds_total{cpu="0"}"#: 0.5,
                #"node_schedstat_timeslices_total{cpu="0"}"#: 7,
            ])
    }

    @Test("sensors have base units; NVMe and thermal zones are found")
    func sensors() throws {
        let tree = try FileTree([
            "sys/class/hwmon/hwmon0/name": "coretemp\n", "sys/class/hwmon/hwmon0/temp1_input": "45500\n",
            "sys/class/hwmon/hwmon0/temp1_max": "90000\n", "sys/class/hwmon/hwmon0/temp1_label": "Core 0\n",
            "sys/class/hwmon/hwmon0/temp1_crit_alarm": "0\n", "sys/class/hwmon/hwmon0/fan2_input": "1200\n",
            "sys/class/hwmon/hwmon0/in0_input": "1100\n", "sys/class/hwmon/hwmon0/power1_average": "25000000\n",
            "sys/class/thermal/thermal_zone0/type": "x86_pkg_temp\n", "sys/class/thermal/thermal_zone0/temp": "41000\n",
            "sys/class/thermal/cooling_device3/type": "Processor\n", "sys/class/thermal/cooling_device3/cur_state": "1\n",
            "sys/class/thermal/cooling_device3/max_state": "9\n", "sys/class/nvme/nvme0/model": "Fast\n",
            "sys/class/nvme/nvme0/serial": "S\n", "sys/class/nvme/nvme0/state": "live\n", "sys/class/nvme/nvme0/firmware_rev": "1\n",
            "sys/class/nvme/nvme0/cntlid": "6\n", "sys/class/nvme/nvme0/nvme0n1/size": "2000\n", "sys/class/nvme/nvme0/nvme0n1/nuse": "10\n",
            "sys/class/nvme/nvme0/nvme0n1/queue/logical_block_size": "4096\n",
        ])
        let rows = Self.measure(tree, "hwmon", "thermal_zone", "nvme")
        #expect(rows[#"node_hwmon_temp_celsius{chip="coretemp", sensor="temp1"}"#] == 45.5)
        #expect(rows[#"node_hwmon_temp_max_celsius{chip="coretemp", sensor="temp1"}"#] == 90)
        #expect(rows[#"node_hwmon_sensor_label{chip="coretemp", label="Core 0", sensor="temp1"}"#] == 1)
        #expect(rows[#"node_hwmon_fan_rpm{chip="coretemp", sensor="fan2"}"#] == 1_200)
        #expect(rows[#"node_hwmon_in_volts{chip="coretemp", sensor="in0"}"#] == 1.1)
        #expect(rows[#"node_hwmon_power_average_watt{chip="coretemp", sensor="power1"}"#] == 25)
        #expect(rows[#"node_hwmon_chip_names{chip="coretemp", chip_name="coretemp"}"#] == 1)
        #expect(rows[#"node_thermal_zone_temp{type="x86_pkg_temp", zone="0"}"#] == 41)
        #expect(rows[#"node_cooling_device_max_state{name="3", type="Processor"}"#] == 9)
        #expect(rows[#"node_nvme_info{cntlid="6", device="nvme0", firmware_revision="1", model="Fast", serial="S", state="live"}"#] == 1)
        #expect(rows[#"node_nvme_namespace_capacity_bytes{device="nvme0", nsid="1"}"#] == 1_024_000)
        #expect(rows[#"node_nvme_namespace_used_bytes{device="nvme0", nsid="1"}"#] == 40_960)
    }

    @Test("the distribution is told from os-release, quotes and all")
    func distribution() throws {
        let tree = try FileTree([
            "etc/os-release": "# A comment\nNAME=\"Debian GNU/Linux\"\nID=debian\nVERSION_ID='12'\nSUPPORT_END=2028-06-30\n"
        ])
        #expect(
            Self.measure(tree, "os") == [
                #"node_os_info{id="debian", name="Debian GNU/Linux", version_id="12"}"#: 1,
                #"node_os_version{id="debian", name="Debian GNU/Linux"}"#: 12, "node_os_support_end_timestamp_seconds": 1_845_936_000,
            ])
    }

    @Test("files that scripts leave are taken over with their types; a broken one is told of and does not hide the others")
    func textfiles() throws {
        let tree = try FileTree([
            "text/a.prom": "# HELP backup_bytes Size.\n# TYPE backup_bytes gauge\nbackup_bytes{disk=\"x\"} 5\n",
            "text/b.prom": "no metric here\n", "text/c.prom": "timed 1 1700000000000\n", "text/d.txt": "ignored 1\n",
        ])
        let source = Self.source(tree, ["textfile"]) { $0.textfileFolders = [tree.path + "/text"] }
        let batch = source.measureNow(at: 1).batch
        let rows = Self.rows(batch)
        #expect(rows[#"backup_bytes{disk="x"}"#] == 5)
        #expect(rows["node_textfile_scrape_error"] == 1)
        #expect((rows[#"node_textfile_mtime_seconds{file="\#(tree.path)/text/a.prom"}"#] ?? 0) > 1_600_000_000)
        #expect(rows["timed"] == nil && rows["ignored"] == nil)
        #expect(batch.metadata.contains(MetricMetadata(family: "backup_bytes", kind: .gauge, help: "Size.")))
    }

    @Test("a collector without data says so, and one that fails does not stop the others")
    func failures() throws {
        let tree = try FileTree(["proc/loadavg": "broken\n", "proc/meminfo": "MemTotal: 1 kB\n"])
        let batch = Self.source(tree, ["loadavg", "meminfo", "pressure"]).measureNow(at: 1).batch
        var success: [String: Double] = [:]
        for index in 0..<batch.sampleCount {
            let labels = batch.series[Int(batch.sampleSeries[index])]
            if labels[Labels.metricName] == "node_scrape_collector_success" { success[labels["collector"] ?? ""] = batch.values[index] }
        }
        #expect(success == ["loadavg": 0, "meminfo": 1, "pressure": 0])
    }

    @Test("this machine is measured by every collector without a duplicate")
    func thisMachine() {
        var configuration = HostMetricsConfiguration()
        configuration.collectors = Set(HostCollectorTable.names)
        let source = HostMetrics(configuration: configuration, time: .system, logger: Logger(label: "test"))
        let measurement = source.measureNow(at: 1)
        #expect(measurement.sampleCount > 200)
        #expect(Set(measurement.batch.series).count == measurement.batch.series.count)
        #expect(measurement.batch.series.allSatisfy { $0["job"] == "node" && $0["instance"] == HostName.current })
        #expect(source.measureNow(at: 2).addedCount == 0)
    }

    // MARK: Settings

    static func load(_ text: String) throws(ConfigurationError) -> HostMetricsConfiguration? {
        let root = try ConfigurationNode.parse(text, file: "apus.yaml").mapping(BuiltInConfiguration.keys)
        return try BuiltInConfiguration(root, file: "/etc/apus/apus.yaml").host
    }

    @Test("host_metrics is true, false or a mapping")
    func settings() throws {
        #expect(try Self.load("host_metrics: true")?.labels["job"] == "node")
        #expect(try Self.load("host_metrics: false") == nil)
        let loaded = try Self.load(
            """
            host_metrics:
              interval: 30s
              root: /host/
              sysfs: /elsewhere
              collectors: {hwmon: false, nvme: true}
              labels: {instance: web-1, region: eu}
              fs_types_exclude: ""
              net_devices_exclude: ^veth
              textfile: textfiles
            """)
        let configuration = try #require(loaded)
        #expect(configuration.interval == .seconds(30))
        #expect(configuration.paths.procfs == "/host/proc" && configuration.paths.sysfs == "/elsewhere" && configuration.paths.rootfs == "/host")
        #expect(!configuration.collectors.contains("hwmon") && configuration.collectors.contains("nvme"))
        #expect(configuration.labels == Labels(["job": "node", "instance": "web-1", "region": "eu"]))
        #expect(configuration.filesystemTypes == nil && configuration.mountPoints != nil)
        #expect(configuration.netDevices?.text == "^veth")
        #expect(configuration.textfileFolders == ["/etc/apus/textfiles"])
        #expect(try Self.load("host_metrics: {collectors: [cpu, meminfo]}")?.collectors == ["cpu", "meminfo"])
    }

    @Test(
        "a mistake is told with its place",
        arguments: [
            ("host_metrics: maybe", "apus.yaml:1:15: host_metrics: found \"maybe\", expected true or false"),
            ("host_metrics:\n  collectors: {cpus: true}", "apus.yaml:2:16: unknown key in host_metrics.collectors: \"cpus\"; did you mean \"cpu\"?"),
            ("host_metrics:\n  interval: 10ms", "apus.yaml:2:13: host_metrics.interval: found \"10ms\", expected a duration of at least 1s"),
            ("host_metrics:\n  net_devices_exclude: '('", "apus.yaml:2:24: host_metrics.net_devices_exclude: error parsing regexp: missing ): ("),
        ])
    func mistakes(text: String, expected: String) {
        #expect(throws: ConfigurationError.self) { try Self.load(text) }
        do throws(ConfigurationError) {
            _ = try Self.load(text)
        } catch {
            #expect(error.description == expected)
        }
    }
}
