#include "lanes/foretelling/page_reading.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "pg/connection/transaction.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::engine {
namespace {

// Long enough for 1,500 pages from a slow disk; a `where` that takes longer is not counted.
constexpr pg::TransactionLimits kReadLimits{std::chrono::milliseconds{100}, std::chrono::milliseconds{700},
                                            true};

std::string reading_sql(const PreparedBackfill& step, const pg::HeapFacts& heap) {
  const std::string alias = heap.oid == step.table.oid ? "" : " AS " + pg::Identifier(step.table.name).sql();
  const auto& where = step.definition.where;
  const std::string matching =
      where.empty() ? "count(*)" : "count(*) FILTER (WHERE CASE WHEN (" + where + "\n) THEN true END)";
  return "SELECT count(*), sum(page.rows), sum(page.matching), count(*) FILTER (WHERE page.matching > 0),\n"
         "       sum(page.matching::float8 * page.matching)\n"
         "FROM pg_catalog.generate_series(0, $1::bigint - 1, greatest(1, $2::bigint)) AS b(pgsluice_block)\n"
         "CROSS JOIN LATERAL (SELECT count(*) AS rows, " +
         matching + " AS matching FROM ONLY " + heap.table_sql + alias +
         "\n  WHERE ctid >= ('(' || b.pgsluice_block || ',0)')::tid AND ctid < ('(' || b.pgsluice_block + 1 "
         "|| "
         "',0)')::tid) AS page";
}

}  // namespace

SampledPages read_pages(pg::Session& session, const PreparedBackfill& step) {
  SampledPages out;
  for (const auto& heap : step.heaps) out.pages_all += heap.pages;
  const auto stride = std::max<std::int64_t>(1, out.pages_all / kPagesRead);
  double squares = 0;
  const auto began = std::chrono::steady_clock::now();
  for (const auto& heap : step.heaps) {
    if (heap.pages == 0) continue;
    const auto seen = pg::in_transaction(session, kReadLimits, [&] {
      return session.exec(reading_sql(step, heap), {std::to_string(heap.pages), std::to_string(stride)});
    });
    out.pages += seen.integer(0, 0);
    out.rows += seen.real(0, 1);
    out.matching += seen.real(0, 2);
    out.matching_pages += seen.real(0, 3);
    squares += seen.real(0, 4);
  }
  out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  if (out.pages > 1) {
    const auto n = static_cast<double>(out.pages);
    out.matching_spread = std::sqrt(std::max(0.0, squares - out.matching * out.matching / n) / (n - 1));
  }
  return out;
}

}  // namespace pgsluice::engine
