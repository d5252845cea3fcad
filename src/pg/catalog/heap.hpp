#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pg/connection/session.hpp"

namespace pgsluice::pg {

/// A table's rows on disk, or those of one leaf partition.
struct HeapFacts {
  std::int64_t oid = 0;
  std::int64_t filenode = 0;
  std::string table_sql;      // quoted and qualified
  std::string access_method;  // "heap", or an extension's; empty for a foreign table
  std::int64_t pages = 0;     // current, not as of the last ANALYZE
  double rows = 0;            // estimated from the last ANALYZE, for the current pages
  int fillfactor = 100;
  bool is_changeable = false;  // by this role, when named directly, in every row
};

/// Reads the heaps of a table: one, or one for each leaf partition in the order of their names. Throws
/// Failure.
std::vector<HeapFacts> read_heaps(Session& session, std::uint32_t table_oid);

/// How full the pages are from the point of view of a heap's rows: after an UPDATE of every row half of the
/// pages are empty and the others full, but every row is on a full one.
struct PageSample {
  double rows = 0;   // on the page of an average row; 0: no row was found
  double bytes = 0;  // that these take up, by the widths of the last ANALYZE; 0: not known
};

/// Counts the rows of some evenly spread pages. REQUIRES: server 14 or newer, a heap whose rows may all be
/// read. Throws Failure.
PageSample sample_pages(Session& session, const HeapFacts& heap);

/// The statement that sample_pages() sends; for `plan`.
std::string sample_pages_sql(const HeapFacts& heap);

/// Rows of a table, counted on about `percent` of its pages; exact at 100. Shows what old statistics cannot:
/// how full the pages are now. Reads that share of the table. Throws Failure.
std::int64_t counted_rows(Session& session, const std::string& table_sql, double percent);
/// The statement that counted_rows() sends; for `plan`.
std::string counted_rows_sql(const std::string& table_sql);

/// The size of shared_buffers, in blocks.
std::int64_t cache_pages(Session& session);

/// How closely the heap's order follows the column's: 1 or -1 exactly, 0 not at all or not known.
double correlation(Session& session, std::uint32_t table_oid, const std::string& column);

}  // namespace pgsluice::pg
