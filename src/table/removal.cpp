#include "table/removal.hpp"

#include "pg/identifier.hpp"
#include "table/block_update.hpp"
#include "table/update.hpp"

namespace pgsluice::engine {
namespace {

std::string from_where(const Removal& removal, const pg::HeapFacts* heap, const std::string& predicate) {
  return "FROM " + (heap ? steps::only_sql(removal.table, *heap) : removal.table.sql()) + "\n" +
         steps::where_sql(removal.selection, predicate);
}

/// WITH gone, and the INSERT into the archive if there is one. Columns by name: the archive may have them in
/// another order.
std::string gone_sql(const Removal& removal, const pg::HeapFacts* heap, const std::string& predicate,
                     const std::string& also) {
  std::string returned = also;
  std::string kept;
  if (removal.archive) {
    const auto columns = pg::column_list(removal.archive->columns);
    returned = columns + (also.empty() ? "" : ", " + also);
    kept = ",\nkept AS (INSERT INTO " + removal.archive->table_sql + " (" + columns + ")" +
           (removal.archive->overrides_identity ? " OVERRIDING SYSTEM VALUE" : "") + "\nSELECT " + columns +
           " FROM gone)";
  }
  return "WITH gone AS (\nDELETE " + from_where(removal, heap, predicate) + "\nRETURNING " + returned + ")" +
         kept + "\n";
}

// A deleted row cannot match again.
constexpr const char* kStill = "NULL::boolean AS \"pgsluice still\"";

}  // namespace

std::string delete_sql(const Removal& removal, const std::string& predicate) {
  if (!removal.archive) return "DELETE " + from_where(removal, nullptr, predicate);
  return gone_sql(removal, nullptr, predicate, "") + "SELECT count(*), 0, " +
         removal.archive->is_unchanged_sql + " FROM gone";
}

std::string block_delete_sql(const Removal& removal, const pg::HeapFacts& heap, const std::string& predicate,
                             int oid) {
  return gone_sql(removal, &heap, predicate, kStill) + "SELECT " +
         steps::block_answer(removal.table, heap, oid, "\"pgsluice still\"") +
         (removal.archive ? ", 0, " + removal.archive->is_unchanged_sql : "") + "\nFROM gone";
}

std::string selected_for_delete_sql(const Removal& removal, const pg::HeapFacts* heap,
                                    const std::string& predicate) {
  return "SELECT count(*) FROM (SELECT " + from_where(removal, heap, predicate) + "\nFOR UPDATE) AS selected";
}

std::vector<std::string> deletes_before(const Removal& removal, const pg::HeapFacts* heap,
                                        const std::string& predicate) {
  return referrer_deletes(removal.referrers, removal.with, removal.table.sql(),
                          from_where(removal, heap, predicate));
}

}  // namespace pgsluice::engine
