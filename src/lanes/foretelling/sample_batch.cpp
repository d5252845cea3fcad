#include "lanes/foretelling/sample_batch.hpp"

#include <algorithm>
#include <chrono>

#include "table/block_update.hpp"
#include "table/explained_update.hpp"
#include "walk/blocks.hpp"

namespace pgsluice::engine {
namespace {

using Clock = std::chrono::steady_clock;

constexpr pg::TransactionLimits kPlaceLimits{std::chrono::milliseconds{100}, std::chrono::milliseconds{500},
                                             true};

constexpr int kHalves = 2;

/// The rows of a batch that are changed: by the low byte of their line pointer, as an interleaved walk does
/// it.
std::string share_of(SampleKind kind) {
  const int half = kind == SampleKind::kFirst ? 0 : kind == SampleKind::kSecond ? 1 : kHalves;
  return " AND pg_catalog.get_byte(pg_catalog.tidsend(ctid), 5) % " + std::to_string(kHalves) + " = " +
         std::to_string(half);
}

bool is_changing(SampleKind kind) {
  return kind == SampleKind::kFirst || kind == SampleKind::kSecond;
}

struct Statement {
  std::string sql;
  pg::Params params;
  std::int64_t visited = 0;
  bool answers_count = false;  // its answer says how many rows it changed
};

/// Before-images are foretold apart, and a sample writes none.
BatchSql plain_sql(const PreparedBackfill& step) {
  return batch_sql(step.table, step.definition, step.swallowers, std::nullopt);
}

Statement key_statement(pg::Session& session, const SampleWork& work, const SamplePlace& place,
                        SampleKind kind) {
  const std::int64_t rows = kind == SampleKind::kOneRow ? 1 : work.rows;
  const auto& keyset = *work.step->keyset;
  walk::KeySlice slice{place.lower, place.upper, 0};
  const auto ask = keyset.bound(place.lower, place.upper, rows);
  std::int64_t visited = rows;
  if (const auto bound = keyset.read_bound(session.exec(ask.sql, ask.params));
      bound && !bound->is_past_range) {
    slice.upper = bound->key;
    slice.equal_prefix = bound->equal_prefix;
  } else {
    const auto rest = keyset.remainder(place.lower, place.upper, rows);
    const auto answer = session.exec(rest.sql, rest.params);
    visited = answer.integer(0, 0);
    slice.equal_prefix = static_cast<int>(answer.integer(0, 1));
  }
  auto predicate = keyset.predicate(slice);
  return {plain_sql(*work.step).update("(" + predicate.sql + ")" + share_of(kind)),
          std::move(predicate.params), visited, false};
}

Statement block_statement(pg::Session& session, const SampleWork& work, const SamplePlace& place,
                          SampleKind kind) {
  const std::int64_t pages = kind == SampleKind::kOneRow ? 0 : work.pages;
  walk::BlockBatch batch;
  batch.first = place.block;
  batch.end = std::min(place.heap->pages, place.block + pages);
  batch.weave.passes = work.passes;
  if (kind != SampleKind::kFirst) batch.pass = 1;
  auto predicate = walk::block_predicate(batch);
  if (work.passes == 1) predicate.sql += share_of(kind);
  if (work.passes > 1 && !is_changing(kind)) predicate.params.back() = std::to_string(work.passes);
  const pg::Params ends{predicate.params[0], predicate.params[1]};
  const auto visited = session.exec(steps::count_blocks_sql(*place.heap), ends).integer(0, 0);
  Statement out{plain_sql(*work.step).block_update(*place.heap, predicate, false),
                std::move(predicate.params), visited, true};
  out.params.emplace_back(std::to_string(place.heap->oid));
  return out;
}

void run_in_transaction(pg::Session& session, const SampleWork& work, const SamplePlace& place,
                        SampledBatch& out) {
  const auto statement = work.walk == Walk::kKeyset ? key_statement(session, work, place, out.kind)
                                                    : block_statement(session, work, place, out.kind);
  out.visited = statement.visited;
  if (out.is_explained) {
    const auto seen = steps::explained_update(session, work.step->table.oid, statement.sql, statement.params);
    out.changed = seen.changed;
    out.hot = seen.hot;
    out.wal_bytes = seen.wal_bytes.value_or(0);
    out.page_images = seen.page_images;
    return;
  }
  const auto answer = session.exec_cancellable(statement.sql, statement.params);
  out.changed = statement.answers_count ? answer.integer(0, 0) : answer.affected();
}

/// 0, 4, 2, 6, 1, 5, …: whoever stops early has been everywhere.
template <class T>
std::vector<T> spread(std::vector<T> in) {
  std::vector<T> out;
  std::vector<bool> is_taken(in.size(), false);
  for (std::size_t stride = std::max<std::size_t>(1, in.size() / 2); out.size() < in.size();
       stride = std::max<std::size_t>(1, stride / 2)) {
    for (std::size_t i = 0; i < in.size(); i += stride) {
      if (is_taken[i]) continue;
      is_taken[i] = true;
      out.push_back(in[i]);
    }
  }
  return out;
}

std::vector<SamplePlace> key_places(pg::Session& session, const PreparedBackfill& step, int count) {
  const auto sample =
      step.keyset->sample(std::nullopt, std::nullopt, count + 1, sample_percent(step.table.pages));
  return pg::in_transaction(session, kPlaceLimits, [&] {
    std::vector<SamplePlace> places;
    const auto highest = session.exec(step.keyset->highest());
    if (highest.empty()) return places;
    const auto cuts = session.exec(sample.sql, sample.params);
    for (std::size_t i = 0; i < cuts.size(); ++i) {
      SamplePlace place;
      place.lower = step.keyset->read_key(cuts, i);
      place.upper = step.keyset->read_key(highest, 0);
      places.push_back(std::move(place));
    }
    return places;
  });
}

std::vector<SamplePlace> block_places(const PreparedBackfill& step, int count) {
  std::int64_t pages = 0;
  for (const auto& heap : step.heaps) pages += heap.pages;
  std::vector<SamplePlace> places;
  for (int i = 0; i < count; ++i) {
    auto block = (2 * i + 1) * pages / (2 * count);  // in the middle of each equal share
    for (const auto& heap : step.heaps) {
      if (block < heap.pages) {
        SamplePlace place;
        place.heap = &heap;
        place.block = block;
        places.push_back(std::move(place));
        break;
      }
      block -= heap.pages;
    }
  }
  return places;
}

}  // namespace

std::vector<SamplePlace> sample_places(pg::Session& session, const PreparedBackfill& step, Walk walk,
                                       int count) {
  return spread(walk == Walk::kKeyset ? key_places(session, step, count) : block_places(step, count));
}

SampledBatch run_sample_batch(pg::Session& session, const SampleWork& work, const SamplePlace& place,
                              SampleKind kind, bool is_explained) {
  SampledBatch out;
  out.kind = kind;
  out.is_explained = is_explained;
  const auto began = Clock::now();
  try {
    session.exec(pg::begin_sql(work.limits));
    run_in_transaction(session, work, place, out);
  } catch (...) {
    pg::rollback(session);
    throw;
  }
  session.exec("ROLLBACK");
  out.seconds = std::chrono::duration<double>(Clock::now() - began).count();
  return out;
}

}  // namespace pgsluice::engine
