#include "bench/measure/table_size.hpp"

#include "pg/connection/transaction.hpp"

namespace pgsluice::bench {
namespace {

constexpr const char* kSize = R"sql(
SELECT coalesce(sum(pg_catalog.pg_relation_size(part.oid)), 0)::bigint,
       coalesce(sum(pg_catalog.pg_indexes_size(part.oid)), 0)::bigint,
       coalesce(sum(pg_catalog.pg_stat_get_tuples_updated(part.oid)), 0)::bigint,
       coalesce(sum(pg_catalog.pg_stat_get_tuples_hot_updated(part.oid)), 0)::bigint
FROM (SELECT $1::oid AS oid UNION SELECT relid::oid FROM pg_catalog.pg_partition_tree($1::oid::regclass)) part
)sql";

constexpr const char* kWal =
    "SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::float8";

constexpr pg::TransactionLimits kLookLimits{std::chrono::milliseconds{1'000},
                                            std::chrono::milliseconds{10'000}, true};

}  // namespace

TableSize read_size(pg::Session& session, std::uint32_t table_oid) {
  return pg::in_transaction(session, kLookLimits, [&] {
    const auto rows = session.exec(kSize, {std::to_string(table_oid)});
    return TableSize{rows.integer(0, 0), rows.integer(0, 1), rows.integer(0, 2), rows.integer(0, 3)};
  });
}

double wal_bytes_written(pg::Session& session) {
  return session.exec(kWal, pg::Params{}).real(0, 0);
}

}  // namespace pgsluice::bench
