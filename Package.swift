// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "sqlite-replicate",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "SQLiteReplicate", targets: ["SQLiteReplicate", "Cluster"]),
        .executable(name: "sqlite-replicate", targets: ["sqlite-replicate"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/CoreOffice/XMLCoder", from: "0.18.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: ["FullFoundation"]),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // The one thing of Swift's concurrency runtime that the program needs and Swift has no word for.
        .target(name: "CConcurrency"),
        // What a guard of other processes needs of the system, such as a child that dies with its parent; and its timer.
        .target(name: "CProcess"),
        // System calls that Swift does not see.
        .systemLibrary(name: "CFileSystem"),
        // The system's LZ4, for the page frames of LTX files.
        .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"]), .brew(["lz4"])]),
        // The system's SQLite, with the few functions that Swift cannot call as they are.
        .systemLibrary(name: "CSQLite", providers: [.apt(["libsqlite3-dev"])]),
        .target(name: "LTX", dependencies: ["CLZ4"]),
        .target(name: "SQLiteFormat"),
        .target(
            name: "ObjectStorage",
            dependencies: [
                "CFileSystem", "CProcess",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOFoundationCompat", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "XMLCoder", package: "XMLCoder"),
            ]
        ),
        .target(
            name: "Replication",
            dependencies: [
                "CFileSystem", "CSQLite", "LTX", "ObjectStorage", "SQLiteFormat",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        .target(
            name: "Cluster",
            dependencies: [
                "LTX", "ObjectStorage", "Replication", "SQLiteFormat",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        .target(
            name: "SQLiteReplicate",
            dependencies: [
                "CFileSystem", "CProcess", "CSQLite", "Cluster", "LTX", "ObjectStorage", "Replication", "SQLiteFormat",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "Yams", package: "Yams"),
            ]
        ),
        .executableTarget(
            name: "sqlite-replicate",
            dependencies: [
                "CConcurrency", "Cluster", "ObjectStorage", "Replication", "SQLiteReplicate",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ]
        ),
        // The example's sources, compiled with everything else so that they stay true. Their own package is beside them.
        .executableTarget(
            name: "example-web-app",
            dependencies: [
                "Cluster", "SQLiteReplicate",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            path: "Examples/WebApp/Sources/WebApp"
        ),
        .target(
            name: "TestSupport",
            dependencies: [
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Tests/TestSupport"
        ),
        .target(
            name: "TestDatabases",
            dependencies: [
                "TestSupport",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Tests/TestDatabases"
        ),
        .executableTarget(
            name: "workload",
            dependencies: [
                "TestDatabases", "TestSupport", .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Tests/Workload"
        ),
        .executableTarget(
            name: "engine-host",
            dependencies: [
                "LTX", "Replication", "TestDatabases", "TestSupport",
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Tests/EngineHost"
        ),
        .executableTarget(
            name: "node-host",
            dependencies: [
                "Cluster", "LTX", "ObjectStorage", "Replication", "SQLiteReplicate", "TestDatabases", "TestSupport",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            path: "Tests/NodeHost"
        ),
        .target(name: "ClusterSimulator", dependencies: ["Cluster"], path: "Tests/ClusterSimulator"),
        .executableTarget(
            name: "simulate",
            dependencies: ["Cluster", "ClusterSimulator"],
            path: "Tests/Simulate"
        ),
        .testTarget(
            name: "TestSupportTests",
            dependencies: [
                "TestDatabases", "TestSupport", "workload",
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        .testTarget(name: "LTXTests", dependencies: ["LTX"]),
        .testTarget(
            name: "SQLiteFormatTests",
            dependencies: [
                "SQLiteFormat", "TestDatabases", "TestSupport",
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        .testTarget(
            name: "ClusterTests",
            dependencies: [
                "Cluster", "LTX", "ObjectStorage", "Replication", "TestDatabases", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        .testTarget(
            name: "ClusterProcessTests",
            dependencies: [
                "TestDatabases", "TestSupport", "node-host",
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        .testTarget(name: "ClusterSimulatorTests", dependencies: ["Cluster", "ClusterSimulator"]),
        .testTarget(
            name: "ObjectStorageTests",
            dependencies: [
                "ObjectStorage", "TestSupport",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        .testTarget(
            name: "ReplicationTests",
            dependencies: [
                "LTX", "ObjectStorage", "Replication", "SQLiteFormat", "TestDatabases", "TestSupport", "engine-host",
                "workload",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        .testTarget(
            name: "SQLiteReplicateTests",
            dependencies: [
                "Cluster", "LTX", "ObjectStorage", "Replication", "SQLiteReplicate", "TestDatabases", "TestSupport",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        .testTarget(
            name: "ProgramTests",
            dependencies: [
                "Cluster", "LTX", "ObjectStorage", "Replication", "SQLiteReplicate", "TestDatabases", "TestSupport",
                "example-web-app", "sqlite-replicate", "workload",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
    ],
    swiftLanguageModes: [.v6]
)

for target in package.targets where target.type != .system {
    var settings = target.swiftSettings ?? []
    // Every unsafe expression says so: https://github.com/swiftlang/swift-evolution/blob/main/proposals/0458-strict-memory-safety.md
    if target.type != .test { settings.append(.strictMemorySafety()) }
    for feature in [
        "ExistentialAny",  // SE-0335
        "ImmutableWeakCaptures",  // SE-0481
        "InferIsolatedConformances",  // SE-0470
        "InternalImportsByDefault",  // SE-0409
        "MemberImportVisibility",  // SE-0444
        "NonisolatedNonsendingByDefault",  // SE-0461
    ] {
        settings.append(.enableUpcomingFeature(feature))
    }
    if Context.environment["CI"] != nil { settings.append(.treatAllWarnings(as: .error)) }
    target.swiftSettings = settings
}
