#include <sqlite3.h>

// sqlite3_db_config() is variadic, and Swift calls no variadic C function.

/// A read beyond the end of the file; the macro is not one that Swift can import.
static const int csqlite_ioerr_short_read = SQLITE_IOERR_SHORT_READ;

/// An ordinary close of the last connection checkpoints and deletes the WAL, also frames that nobody has captured.
static inline int csqlite_disable_checkpoint_on_close(sqlite3 *db) {
    return sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0);
}

/// Lookaside memory is set aside for each connection, used or not: 48 KiB that an idle connection does not need.
static inline int csqlite_disable_lookaside(sqlite3 *db) {
    return sqlite3_db_config(db, SQLITE_DBCONFIG_LOOKASIDE, (void *)0, 0, 0);
}

/// SQLite sets aside 20 pages for every connection's cache at its first read; a process with a hundred databases, of
/// which each reads one page, has better uses for that. Takes effect only before anything in the process uses SQLite.
static inline int csqlite_allocate_cache_pages_singly(void) {
    return sqlite3_config(SQLITE_CONFIG_PAGECACHE, (void *)0, 0, 0);
}
