#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pg/session.hpp"

namespace pgsluice::pg {

/// A table's rows on disk, or those of one leaf partition.
struct HeapFacts {
  std::int64_t oid = 0;
  std::int64_t filenode = 0;
  std::string table_sql;      // quoted and qualified
  std::string access_method;  // "heap", or an extension's; empty for a foreign table
  std::int64_t pages = 0;     // of now, not of the last ANALYZE
  double rows = 0;            // estimated from the last ANALYZE, for the pages of now
  int fillfactor = 100;
  bool is_changeable = false;  // by this role, when named directly, and every row of it
};

/// Reads the heaps of a table: one, or one for each leaf partition in the order of their names. Throws
/// Failure.
std::vector<HeapFacts> read_heaps(Session& session, std::uint32_t table_oid);

/// How the pages look to the rows of a heap: behind an UPDATE of every row half of them are empty and the
/// others full, and no row knows of the empty ones.
struct PageSample {
  double rows = 0;   // of the page that a row lies on, on average; 0: no row was met
  double bytes = 0;  // that they take of it, by the widths of the last ANALYZE; 0: not known
};

/// Counts the rows of some pages, evenly spread. REQUIRES: server 14 or newer, a heap whose every row may be
/// read. Throws Failure.
PageSample sample_pages(Session& session, const HeapFacts& heap);

/// The statement that sample_pages() sends; for `plan`.
std::string sample_pages_sql(const HeapFacts& heap);

/// Rows of a table, counted on about `percent` of its pages; exact at 100. Knows what statistics that are old
/// do not: how full the pages are now. Reads that share of the table. Throws Failure.
std::int64_t counted_rows(Session& session, const std::string& table_sql, double percent);
/// The statement that counted_rows() sends; for `plan`.
std::string counted_rows_sql(const std::string& table_sql);

/// What shared_buffers holds, in blocks.
std::int64_t cache_pages(Session& session);

/// How well the heap's order follows the column's: 1 or -1 exactly, 0 not at all or not known.
double correlation(Session& session, std::uint32_t table_oid, const std::string& column);

}  // namespace pgsluice::pg
