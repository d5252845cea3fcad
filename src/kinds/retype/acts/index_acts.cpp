#include "kinds/retype/acts/acts.hpp"
#include "kinds/retype/graph/names.hpp"
#include "kinds/retype/mapping/twins.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::steps::retype {
namespace {

std::string quoted(const std::string& name) {
  return pg::Identifier(name).sql();
}

std::string as_it_is(const std::string& name) {
  return name;
}

/// The twins of one table's indexes.
class Builder {
 public:
  Builder(const Retype& retype, const GraphTable& table, std::vector<Act>& acts)
      : retype_(retype), table_(table), acts_(acts) {}

  /// `columns` gives the columns' names, `own` the indexes'.
  void add(const GraphIndex& index, const Naming& columns, const Naming& own) {
    if (table_.kind != "p") return build(index, table_.sql(), own(index.name), columns);
    for (std::size_t i = 0; i < table_.partitions.size(); ++i) {
      if (!is_joined(index, i, own))
        build(index, table_.partitions[i].sql(), own(index.of_partitions[i]), columns);
    }
    // The parts of a key become constraints at the cut-over, and the parent's constraint then finds them. A
    // part that is joined here could no longer become a primary key.
    if (!index.constraint_type.empty()) return;
    if (joined_twin(index, own)) return join_latecomers(index, own);
    join(index, own(index.name), columns, own);
  }

 private:
  void build(const GraphIndex& index, const std::string& on, const std::string& name, const Naming& columns) {
    acts_.push_back({"build index " + quoted(name) + " on " + on,
                     "index",
                     Act::Kind::kIndex,
                     {index_twin_sql(retype_, table_, index, {on, "CONCURRENTLY "}, name, columns)},
                     {}});
  }

  void join(const GraphIndex& index, const std::string& name, const Naming& columns, const Naming& own) {
    Act act{"join index " + quoted(name) + " of " + table_.sql(), "index", Act::Kind::kDdl, {}, {}};
    act.sql.push_back(index_twin_sql(retype_, table_, index, {"ONLY " + table_.sql(), ""}, name, columns));
    for (std::size_t i = 0; i < table_.partitions.size(); ++i) act.sql.push_back(attach(index, i, own));
    acts_.push_back(std::move(act));
  }

  /// For partitions that were added after the indexes had been listed and before the parent's was made.
  void join_latecomers(const GraphIndex& index, const Naming& own) {
    for (std::size_t i = 0; i < table_.partitions.size(); ++i) {
      if (is_joined(index, i, own)) continue;
      acts_.push_back({"join index " + quoted(own(index.of_partitions[i])) + " of " +
                           table_.partitions[i].sql() + " to " + quoted(own(index.name)),
                       "index",
                       Act::Kind::kDdl,
                       {attach(index, i, own)},
                       {}});
    }
  }

  std::string attach(const GraphIndex& index, std::size_t i, const Naming& own) const {
    return "ALTER INDEX " + pg::Identifier(table_.schema, own(index.name)).sql() + " ATTACH PARTITION " +
           pg::Identifier(table_.partitions[i].schema, own(index.of_partitions[i])).sql();
  }

  const Retype& retype_;
  const GraphTable& table_;
  std::vector<Act>& acts_;
};

}  // namespace

std::vector<Act> index_acts(const Retype& retype) {
  std::vector<Act> acts;
  for (const auto& table : retype.graph.tables) {
    // The fill left dead rows, which every build would read, and cleared the visibility map.
    acts.push_back(
        {"vacuum " + table.sql(), "index", Act::Kind::kVacuum, {"VACUUM (ANALYZE) " + table.sql()}, {}});
    Builder builder(retype, table, acts);
    for (const auto& index : table.indexes) {
      builder.add(index, new_name, new_name);
      // The cut-over drops its constraint, and the index with it; the way back and look-ups need one.
      if (is_primary(index)) builder.add(index, as_it_is, old_name);
    }
  }
  return acts;
}

}  // namespace pgsluice::steps::retype
