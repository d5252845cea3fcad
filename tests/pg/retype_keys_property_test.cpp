// Goal: integer keys become uuids and integers again, with whatever is written between the acts. Method: a
// family of two tables beside a twin family whose keys ALTER TABLE embeds; both get the same random writes.
#include <gtest/gtest.h>

#include "pg/random_values.hpp"
#include "pg/trial.hpp"
#include "support/environment.hpp"

namespace pgsluice::test {
namespace {

const int kParents = 20;
const int kChildren = 40;
const int kWrites = 15;  // between two acts

struct KeyShape {
  std::string name;
  std::string declaration;  // of the parents' key
  std::string type;         // of the references
  std::vector<std::string> extremes;
};

std::ostream& operator<<(std::ostream& out, const KeyShape& shape) {
  return out << shape.declaration;
}

/// `sql` for both families: @ stands for what the names begin with.
std::string named(std::string sql, const std::string& prefix) {
  for (auto at = sql.find('@'); at != std::string::npos; at = sql.find('@')) sql.replace(at, 1, prefix);
  return sql;
}

constexpr const char* kEmbedded = "('00000000-0000-8000-8000-' || lpad(to_hex(%::bigint), 12, '0'))::uuid";

std::string embedded(const std::string& column) {
  std::string sql = kEmbedded;
  return sql.replace(sql.find('%'), 1, column);
}

class RetypeKeys : public testing::TestWithParam<KeyShape> {
 protected:
  RetypeKeys() : random_(seeded_random()) {
    trial_.job(
        "name = \"keys\"\n[[step]]\nkind = \"retype\"\nname = \"ids\"\ntables = [\"parents\"]\nto = "
        "\"uuid\"\n"
        "mapping = \"embed\"\nnew_ids = \"gen_random_uuid()\"\n");
    create("", GetParam().declaration);
    create("twin_", GetParam().type);
    for (const auto& id : GetParam().extremes) insert_parent(id);
    while (parents_ < kParents) insert_parent(old_id());
    while (children_ < kChildren) insert_child();
  }

  void create(const std::string& prefix, const std::string& key) {
    trial_.db().exec(named("CREATE TABLE @parents (id " + key +
                               " PRIMARY KEY, token text UNIQUE, note text DEFAULT '');"
                               "CREATE TABLE @children (token text PRIMARY KEY, parent " +
                               GetParam().type + " REFERENCES @parents ON UPDATE CASCADE ON DELETE CASCADE)",
                           prefix));
  }

  void expect(const std::string& verb, int code) {
    const auto finished = trial_.verb(verb);
    ASSERT_EQ(finished.code(), code) << verb << "\n" << finished.out << finished.err;
  }

  /// Both families must take it.
  void both(const std::string& sql) {
    for (const auto* prefix : {"", "twin_"}) ASSERT_NO_THROW(trial_.db().exec(named(sql, prefix))) << sql;
  }

  std::string old_id() { return std::to_string(next_id_++); }
  std::string new_id() { return "'" + trial_.db().text("SELECT gen_random_uuid()") + "'"; }

  static std::string token(const std::string& kind, int number) {
    return "'" + kind + std::to_string(number) + "'";
  }
  std::string some_parent() {
    return token("p", 1 + static_cast<int>(pick(random_, static_cast<std::size_t>(parents_))));
  }
  std::string some_child() {
    return token("c", 1 + static_cast<int>(pick(random_, static_cast<std::size_t>(children_))));
  }

  void insert_parent(const std::string& id) {
    both("INSERT INTO @parents (id, token) VALUES (" + id + ", " + token("p", ++parents_) + ")");
  }
  void insert_child() {
    both("INSERT INTO @children (token, parent) SELECT " + token("c", ++children_) +
         ", (SELECT id FROM @parents WHERE token = " + some_parent() + ")");
  }

  void write(bool has_uuids) {
    const auto id = has_uuids ? new_id() : old_id();
    switch (pick(random_, 7)) {
      case 0:
        return insert_parent(id);
      case 1:
        return insert_child();
      case 2:
        return both("UPDATE @parents SET id = " + id + " WHERE token = " + some_parent());
      case 3:
        return both("DELETE FROM @parents WHERE token = " + some_parent());
      case 4:
        return both("DELETE FROM @children WHERE token = " + some_child());
      case 5:
        return both("UPDATE @parents SET note = note || '+', id = id WHERE token = " + some_parent());
      default:
        return both("UPDATE @children SET parent = (SELECT id FROM @parents WHERE token = " + some_parent() +
                    ") WHERE token = " + some_child());
    }
  }
  void write_some(bool has_uuids) {
    for (int n = 0; n < kWrites; ++n) write(has_uuids);
  }

  void embed_twin() {
    trial_.db().exec(
        "ALTER TABLE twin_children DROP CONSTRAINT twin_children_parent_fkey;"
        "ALTER TABLE twin_parents ALTER id TYPE uuid USING " +
        embedded("id") + ";ALTER TABLE twin_children ALTER parent TYPE uuid USING " + embedded("parent") +
        ";ALTER TABLE twin_children ADD FOREIGN KEY (parent) REFERENCES twin_parents ON UPDATE CASCADE ON "
        "DELETE CASCADE");
  }

  std::vector<std::string> rows(const std::string& prefix, const std::string& sql) {
    return trial_.db().column(named(sql, prefix));
  }
  void expect_same(const std::string& sql) { EXPECT_EQ(rows("", sql), rows("twin_", sql)); }

  Random random_;
  Trial trial_;
  int parents_ = 0;
  int children_ = 0;
  int next_id_ = 1;
};

constexpr const char* kKeys =
    "SELECT token || ' ' || id || note FROM @parents UNION ALL SELECT token || ' ' || coalesce(parent::text, "
    "'-') FROM "
    "@children ORDER BY 1";
constexpr const char* kMeaning =
    "SELECT token || note FROM @parents UNION ALL SELECT c.token || ' ' || coalesce(p.token, '-') FROM "
    "@children c "
    "LEFT JOIN @parents p ON p.id = c.parent ORDER BY 1";

TEST_P(RetypeKeys, EveryRowAndReferenceGoesThereAndBack) {
  write_some(false);
  expect("run", 9);
  write_some(false);
  expect_same(kKeys);
  trial_.db().exec("CREATE TABLE before AS SELECT token, id FROM parents");
  expect("cutover", 0);
  embed_twin();
  expect_same(kKeys);
  trial_.db().exec("CREATE TABLE \"then\" AS SELECT token, id FROM parents");
  write_some(true);
  expect_same(kKeys);
  trial_.db().exec("CREATE TABLE kept AS SELECT token FROM parents JOIN \"then\" USING (token, id)");
  expect("rollback", 0);
  expect_same(kMeaning);
  EXPECT_EQ(trial_.db().number(
                "SELECT count(*) FROM kept JOIN before USING (token) LEFT JOIN parents USING (token, id) "
                "WHERE parents.id IS NULL"),
            0);
}

// A key that no sequence feeds gets its way back from one behind the highest: that must leave room.
INSTANTIATE_TEST_SUITE_P(Shapes, RetypeKeys,
                         testing::Values(KeyShape{"Smallint", "smallint", "smallint", {"0", "32000"}},
                                         KeyShape{"Serial", "serial", "integer", {"0", "2147483647"}},
                                         KeyShape{"Identity",
                                                  "bigint GENERATED BY DEFAULT AS IDENTITY",
                                                  "bigint",
                                                  {"0", "281474976710655"}}),
                         [](const auto& shape) { return shape.param.name; });

}  // namespace
}  // namespace pgsluice::test
