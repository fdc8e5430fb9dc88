import Foundation
import Testing

@testable import sqlite_replicate

@Suite("Memory map") struct MemoryMapTests {
    @Test("The program's code is found, and nothing else")
    func code() {
        let maps = """
            55e000000000-55e000001000 r--p 00000000 fe:00 17 /opt/a b/program
            55e000001000-55e000009000 r-xp 00001000 fe:00 17                 /opt/a b/program
            55e000009000-55e00000a000 rw-p 00009000 fe:00 17                 /opt/a b/program
            7f0000000000-7f0000002000 r-xp 00000000 fe:00 18                 /opt/a b/program2
            7f0000002000-7f0000003000 rwxp 00000000 fe:00 17                 /opt/a b/program
            7f0000004000-7f0000005000 r-xp 00000000 00:00 0                  [vdso]
            7f0000006000-7f0000007000 r-xp 00000000 00:00 0
            nonsense
            """
        #expect(MemoryMap.code(of: "/opt/a b/program", in: maps) == [0x55e0_0000_1000..<0x55e0_0000_9000])
        #expect(MemoryMap.code(of: "/opt/other", in: maps).isEmpty)
    }

    #if os(Linux)
        @Test("This process has code")
        func own() { #expect(!MemoryMap.codeOfProgram().isEmpty) }
    #endif
}
