#include "kinds/retype/mapping/questions.hpp"

#include "kinds/retype/graph/names.hpp"
#include "kinds/retype/mapping/mapping.hpp"
#include "kinds/retype/mapping/twins.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::steps::retype {
namespace {

std::string quoted(const std::string& name) {
  return pg::Identifier(name).sql();
}

std::string count(const GraphTable& table, const std::string& where) {
  return "SELECT count(*) FROM " + table.sql() + " AS t WHERE " + where;
}

bool is_changing(const GraphTable& table, const std::string& column) {
  for (const auto& c : table.columns) {
    if (c.name == column) return true;
  }
  return false;
}

std::string own_name(const std::string& name) {
  return name;
}

class Questions {
 public:
  explicit Questions(const Retype& retype) : retype_(retype) {}

  /// Every value has its partner under the other name. Leaves out columns where some values may have none.
  void ask_for_partners(const Naming& other, bool (*may_lack)(const Retype&, Place)) {
    for (std::size_t t = 0; t < retype_.graph.tables.size(); ++t) {
      const auto& table = retype_.graph.tables[t];
      for (std::size_t c = 0; c < table.columns.size(); ++c) {
        if (may_lack(retype_, {static_cast<int>(t), static_cast<int>(c)})) continue;
        const auto& column = table.columns[c];
        const auto partner = other(column.name);
        add("rows of " + table.sql() + " with only one of " + quoted(column.name) + " and " + quoted(partner),
            count(table, "(t." + quoted(column.name) + " IS NULL) <> (t." + quoted(partner) + " IS NULL)"));
      }
    }
  }

  void ask_for_map() {
    if (!is_by_value(retype_.step)) return;
    for (std::size_t i = 0; i < retype_.graph.tables.size(); ++i) {
      const auto& table = retype_.graph.tables[i];
      for (std::size_t k = 0; k < table.columns.size(); ++k) {
        const auto shadow = new_name(table.columns[k].name);
        add("rows of " + table.sql() + " whose " + quoted(shadow) + " is not what " +
                quoted(table.columns[k].name) + " maps to",
            count(table, "NOT " + is_identical("t." + quoted(shadow),
                                               new_value_exactly(
                                                   retype_, {static_cast<int>(i), static_cast<int>(k)}))));
      }
    }
  }

  /// References whose row is missing, under the names that `naming` gives.
  void ask_for_orphans(const Naming& naming, bool only_unproved = false) {
    for (const auto& key : retype_.graph.foreign_keys) {
      if (only_unproved && key.is_validated) continue;
      const auto& table = retype_.table(key.table);
      const auto& parent = retype_.table(key.ref_table);
      std::string filled;
      std::string same;
      for (std::size_t i = 0; i < key.columns.size(); ++i) {
        const auto own = is_changing(table, key.columns[i]) ? naming(key.columns[i]) : key.columns[i];
        const auto ref =
            is_changing(parent, key.ref_columns[i]) ? naming(key.ref_columns[i]) : key.ref_columns[i];
        filled += "t." + quoted(own) + " IS NOT NULL AND ";
        same += (i ? " AND " : "") + ("p." + quoted(ref)) + " = t." + quoted(own);
      }
      add("orphans of " + quoted(key.name) + ": rows of " + table.sql() + " that refer to nothing in " +
              parent.sql() + " by " + quoted(naming(key.columns.front())),
          count(table, filled + "NOT EXISTS (SELECT FROM " + parent.sql() + " AS p WHERE " + same + ")"));
    }
  }

  /// References that were looked up: only the triggers link those named by `ours` to those named by `theirs`,
  /// which the application writes. A trigger may have been switched off for a while.
  void ask_for_pairs(const Naming& theirs, const Naming& ours) {
    for (std::size_t t = 0; t < retype_.graph.tables.size(); ++t) {
      const auto& table = retype_.graph.tables[t];
      for (const auto& column : table.columns) {
        if (column.refers_to) ask_for_pair(table, column, theirs, ours);
      }
    }
  }

  std::vector<Question> take() && { return std::move(out_); }

 private:
  void ask_for_pair(const GraphTable& table, const GraphColumn& column, const Naming& theirs,
                    const Naming& ours) {
    const auto& key = retype_.graph.foreign_keys[static_cast<std::size_t>(column.through)];
    const auto& parent = retype_.table(key.ref_table);
    std::string filled;
    std::string same;
    for (std::size_t i = 0; i < key.columns.size(); ++i) {
      const auto own = is_changing(table, key.columns[i]) ? theirs(key.columns[i]) : key.columns[i];
      const auto ref =
          is_changing(parent, key.ref_columns[i]) ? theirs(key.ref_columns[i]) : key.ref_columns[i];
      filled += "t." + quoted(own) + " IS NOT NULL AND ";
      same += " AND p." + quoted(ref) + " = t." + quoted(own);
    }
    const auto parent_column = retype_.graph.at(*column.refers_to).name;
    add("rows of " + table.sql() + " whose " + quoted(ours(column.name)) + " and " +
            quoted(theirs(column.name)) + " mean different rows",
        count(table, filled + "NOT EXISTS (SELECT FROM " + parent.sql() + " AS p WHERE p." +
                         quoted(ours(parent_column)) + " = t." + quoted(ours(column.name)) + same + ")"));
  }

  void add(std::string what, std::string query) { out_.push_back({std::move(what), std::move(query)}); }

  const Retype& retype_;
  std::vector<Question> out_;
};

}  // namespace

std::vector<Question> questions_before_cutover(const Retype& retype) {
  Questions questions(retype);
  questions.ask_for_partners(new_name, may_lack_new_value);
  questions.ask_for_map();
  questions.ask_for_orphans(new_name);
  if (!is_by_value(retype.step)) questions.ask_for_pairs(own_name, new_name);
  return std::move(questions).take();
}

std::vector<Question> questions_at_cutover(const Retype& retype) {
  Questions questions(retype);
  if (!is_by_value(retype.step)) questions.ask_for_pairs(own_name, new_name);
  return std::move(questions).take();
}

std::vector<Question> questions_after_cutover(const Retype& retype) {
  Questions questions(retype);
  questions.ask_for_partners(old_name, may_lack_old_value);
  questions.ask_for_orphans(own_name);
  questions.ask_for_pairs(own_name, old_name);
  return std::move(questions).take();
}

std::vector<Question> questions_before_expand(const Retype& retype) {
  Questions questions(retype);
  questions.ask_for_orphans(own_name, true);
  return std::move(questions).take();
}

std::vector<Question> questions_after_contract(const Retype& retype) {
  Questions questions(retype);
  questions.ask_for_orphans(own_name);
  return std::move(questions).take();
}

}  // namespace pgsluice::steps::retype
