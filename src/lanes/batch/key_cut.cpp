#include "lanes/batch/key_cut.hpp"

namespace pgsluice::engine {

KeyCut find_cut(pg::Session& session, const walk::Keyset& keyset, const std::optional<pg::Key>& from,
                const pg::Key& range_upper, std::int64_t rows) {
  const auto ask = keyset.bound(from, range_upper, rows);
  if (const auto bound = keyset.read_bound(session.exec(ask.sql, ask.params)); bound && !bound->is_past_range)
    return {{from, bound->key, bound->equal_prefix}, rows, false};
  const auto rest = keyset.remainder(from, range_upper, rows);
  const auto answer = session.exec(rest.sql, rest.params);
  return {{from, range_upper, static_cast<int>(answer.integer(0, 1))}, answer.integer(0, 0), true};
}

}  // namespace pgsluice::engine
