#include "walk/blocks.hpp"

#include <algorithm>

namespace pgsluice::walk {
namespace {

// A small rest of a window joins the batch instead of becoming a batch of its own.
constexpr double kNearlyAll = 0.75;

constexpr std::size_t kBoundaryParts = 3;

std::int64_t window_start(const BlockPosition& at, int window) {
  return at.block + window * at.group->weave.window_pages;
}

/// Moves to the first visit, from `visit` on, whose window is not empty; false if the group is over.
bool begin_visit(BlockPosition& at, int visit, std::int64_t upper) {
  const auto& weave = at.group->weave;
  for (; visit < weave.passes * weave.windows; ++visit) {
    const auto start = window_start(at, visit % weave.windows);
    if (start >= upper) continue;
    at.group->visit = visit;
    at.group->place = start;
    return true;
  }
  return false;
}

std::int64_t group_end(const BlockPosition& at) {
  return at.group ? at.block + at.group->weave.windows * at.group->weave.window_pages : at.block;
}

/// Makes windows smaller if few blocks are left, so that they still take turns.
Weave fitted(Weave weave, std::int64_t blocks) {
  const auto share = (blocks + weave.windows - 1) / weave.windows;
  weave.window_pages = std::max<std::int64_t>(1, std::min(weave.window_pages, share));
  return weave;
}

std::string tid(std::int64_t block) {
  return "(" + std::to_string(block) + ",0)";
}

}  // namespace

pg::Key BlockPosition::key() const {
  pg::Key key{std::to_string(heap.oid), std::to_string(heap.filenode), std::to_string(block)};
  if (!group) return key;
  for (const std::int64_t n : {group->place, std::int64_t{group->visit}, std::int64_t{group->weave.passes},
                               std::int64_t{group->weave.windows}, group->weave.window_pages}) {
    key.push_back(std::to_string(n));
  }
  return key;
}

BlockPosition BlockPosition::of(const pg::Key& key) {
  const auto number = [&](std::size_t i) { return std::stoll(key.at(i)); };
  BlockPosition at{{number(0), number(1)}, number(2), std::nullopt};
  if (key.size() > kBoundaryParts) {
    const Weave weave{static_cast<int>(number(5)), static_cast<int>(number(6)), number(7)};
    at.group = Group{weave, static_cast<int>(number(4)), number(3)};
  }
  return at;
}

BlockBatch next_block_batch(const BlockPosition& from, std::int64_t upper, const Weave& weave,
                            std::int64_t pages) {
  BlockPosition at = from;
  if (!at.group) at.group = BlockPosition::Group{fitted(weave, upper - at.block), 0, at.block};
  if (const int last_pass = (at.group->weave.passes - 1) * at.group->weave.windows;
      weave.passes == 1 && at.group->visit < last_pass) {
    begin_visit(at, last_pass, upper);
  }
  const int visit = at.group->visit;
  const auto& used = at.group->weave;
  BlockBatch batch;
  batch.weave = used;
  batch.pass = visit / used.windows;
  batch.first = at.group->place;
  const auto window_end = std::min(upper, window_start(at, visit % used.windows) + used.window_pages);
  const auto left = window_end - batch.first;
  const bool takes_all = static_cast<double>(pages) >= kNearlyAll * static_cast<double>(left);
  batch.end = takes_all ? window_end : batch.first + std::max<std::int64_t>(1, pages);

  batch.next = at;
  if (batch.end < window_end) {
    batch.next.group->place = batch.end;
  } else if (!begin_visit(batch.next, visit + 1, upper)) {
    batch.next = {at.heap, std::min(upper, group_end(at)), std::nullopt};
    batch.is_last = batch.next.block >= upper;
  }
  return batch;
}

Fragment block_predicate(const BlockBatch& batch) {
  Fragment f{"ctid >= $1::tid AND ctid < $2::tid", {tid(batch.first), tid(batch.end)}};
  if (batch.is_last_pass()) return f;
  // By the low byte of the row's line pointer: any partition works that stays the same from pass to pass.
  f.sql += " AND pg_catalog.get_byte(pg_catalog.tidsend(ctid), 5) % $3::int = $4::int";
  f.params.emplace_back(std::to_string(batch.weave.passes));
  f.params.emplace_back(std::to_string(batch.pass));
  return f;
}

std::optional<std::int64_t> block_middle(const BlockPosition& at, std::int64_t upper) {
  const auto from = group_end(at);
  const auto middle = from + (upper - from) / 2;
  if (middle <= from || middle >= upper) return std::nullopt;
  return middle;
}

std::string group_ends_by(const std::string& array_expression, int first) {
  const auto part = [&](int i) { return "(" + array_expression + ")[" + std::to_string(i) + "]"; };
  const auto parameter = [&](int i) { return "$" + std::to_string(first + i); };
  return "(" + part(1) + " = " + parameter(0) + " AND " + part(2) + " = " + parameter(1) + " AND " + part(3) +
         "::bigint + coalesce(" + part(7) + "::bigint * " + part(8) + "::bigint, 0) <= " + parameter(2) +
         "::bigint)";
}

}  // namespace pgsluice::walk
