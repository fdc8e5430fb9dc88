import SystemPackage

/// File systems that several machines can have mounted at a time.
///
/// SQLite's WAL mode needs locks and shared memory that reach everybody who uses the database; on these they reach one
/// machine only, while the files reach more than one.
enum SharedFileSystem {
    private static let names: Set<Substring> = [
        "9p", "afs", "ceph", "cifs", "fuse.sshfs", "gfs2", "glusterfs", "fuse.glusterfs", "lustre", "nfs", "nfs4",
        "ocfs2",
        "prl_fs", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs", "fuse.vmhgfs-fuse",
    ]

    /// The kind of the file system on `device`, the number that files on it have, if it is one of these.
    static func name(ofDevice device: UInt64) -> String? {
        guard let bytes = (try? Disk.contents(of: "/proc/self/mountinfo", limit: 1 << 20)) ?? nil else { return nil }
        return name(ofDevice: device, mounts: String(decoding: bytes, as: UTF8.self))
    }

    /// Looks into the text of `/proc/self/mountinfo`: `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw`.
    static func name(ofDevice device: UInt64, mounts: String) -> String? {
        // How Linux puts major and minor into one number.
        let major = (device >> 8) & 0xfff | (device >> 32) & 0xffff_f000
        let minor = device & 0xff | (device >> 12) & 0xffff_ff00
        for line in mounts.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count > 2, words[2] == "\(major):\(minor)", let dash = words.firstIndex(of: "-"),
                dash + 1 < words.count
            else { continue }
            return names.contains(words[dash + 1]) ? String(words[dash + 1]) : nil
        }
        return nil
    }
}
