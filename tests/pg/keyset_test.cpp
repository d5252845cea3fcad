// Proves that the SQL of the keyset walk agrees with a brute-force answer for every kind of key.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "pg/catalog/catalog.hpp"
#include "pg/connection/transaction.hpp"
#include "pg/identifier.hpp"
#include "pg/keyset_cases.hpp"
#include "support/environment.hpp"
#include "support/shared_server.hpp"
#include "walk/keyset.hpp"

namespace pgsluice::test {
namespace {

using Keys = std::vector<pg::Key>;

/// Every case makes its table in a transaction that is rolled back, so one database serves all.
const std::string& database() {
  static const std::string dsn = fresh_database();
  return dsn;
}

class KeysetOf : public ::testing::TestWithParam<KeysetCase> {
 protected:
  /// With a batch's settings, so that keys are read and written as there.
  void SetUp() override {
    session_.exec(pg::begin_sql({}));
    session_.exec(GetParam().sql);
    const auto table = pg::read_table(session_, GetParam().table);
    walk_.emplace(table.sql(), pg::choose_key(table, GetParam().key));
    all_ = keys("");
    ASSERT_GE(all_.size(), 40U);
  }

  /// Of the rows that match, in the server's order of the key.
  Keys keys(const std::string& condition, const pg::Params& params = {}) {
    std::string texts;
    for (const auto& c : walk_->key())
      texts += (texts.empty() ? "t." : ", t.") + pg::Identifier(c.name).sql() + "::text";
    const auto rows =
        session_.exec("SELECT " + texts + " FROM " + walk_->table_sql() + " t" +
                          (condition.empty() ? "" : " WHERE " + condition) + " ORDER BY " + columns(),
                      params);
    Keys out;
    for (std::size_t i = 0; i < rows.size(); ++i) out.push_back(walk_->read_key(rows, i));
    return out;
  }

  /// t."a", t."b"
  std::string columns() const {
    std::string out;
    for (const auto& c : walk_->key()) out += (out.empty() ? "t." : ", t.") + pg::Identifier(c.name).sql();
    return out;
  }

  /// Rows in (lower, upper] by row comparison: the plain meaning of a slice.
  Keys between(const std::optional<pg::Key>& lower, const pg::Key& upper) {
    pg::Params params;
    const auto row = [&](const pg::Key& key) {
      std::string out;
      for (std::size_t i = 0; i < key.size(); ++i) {
        params.emplace_back(key[i]);
        out += (i ? ", $" : "($") + std::to_string(params.size()) + "::" + walk_->key()[i].type;
      }
      return out + ")";
    };
    std::string condition = "(" + columns() + ") <= " + row(upper);
    if (lower) condition += " AND (" + columns() + ") > " + row(*lower);
    return keys(condition, params);
  }

  /// How many leading columns are equal, asked of the walk itself.
  int equal_prefix(const std::optional<pg::Key>& lower, const pg::Key& upper) {
    const auto ask = walk_->remainder(lower, upper, 1);
    return static_cast<int>(session_.exec(ask.sql, ask.params).integer(0, 1));
  }

  Keys rows_of(const walk::KeySlice& slice) {
    const auto predicate = walk_->predicate(slice);
    return keys(predicate.sql, predicate.params);
  }

  std::size_t random_below(std::size_t end) {
    return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_);
  }

  /// As a batch cuts its slice; nullopt: the range is over.
  std::optional<walk::KeySlice> next_slice(const std::optional<pg::Key>& lower, const pg::Key& upper,
                                           std::int64_t rows, std::int64_t& visited) {
    const auto ask = walk_->bound(lower, upper, rows);
    const auto bound = walk_->read_bound(session_.exec(ask.sql, ask.params));
    visited = rows;
    if (bound && !bound->is_past_range) return walk::KeySlice{lower, bound->key, bound->equal_prefix};
    const auto rest = walk_->remainder(lower, upper, rows);
    const auto answer = session_.exec(rest.sql, rest.params);
    visited = answer.integer(0, 0);
    if (visited == 0) return std::nullopt;
    return walk::KeySlice{lower, upper, static_cast<int>(answer.integer(0, 1))};
  }

  pg::Session session_{pg::ConnectionTarget(database()), "test"};
  std::optional<walk::Keyset> walk_;
  Keys all_;
  std::mt19937_64 random_ = seeded_random();
};

TEST_P(KeysetOf, VisitsEveryRowExactlyOnceInBatchesOfAnySize) {
  const auto highest = walk_->read_key(session_.exec(walk_->highest(), pg::Params{}), 0);
  EXPECT_EQ(highest, all_.back());
  Keys visited;
  std::optional<pg::Key> position;
  std::int64_t counted = 0;
  while (const auto slice =
             next_slice(position, highest, 1 + static_cast<std::int64_t>(random_below(17)), counted)) {
    const auto rows = rows_of(*slice);
    ASSERT_EQ(static_cast<std::int64_t>(rows.size()), counted) << "at " << pg::display(slice->upper);
    visited.insert(visited.end(), rows.begin(), rows.end());
    position = slice->upper;
  }
  EXPECT_EQ(visited, all_);
}

TEST_P(KeysetOf, EndsARangeAtItsUpperEnd) {
  const auto& lower = all_[all_.size() / 4];
  const auto& upper = all_[all_.size() / 2];
  Keys visited;
  std::optional<pg::Key> position = lower;
  std::int64_t counted = 0;
  while (const auto slice =
             next_slice(position, upper, 1 + static_cast<std::int64_t>(random_below(9)), counted)) {
    const auto rows = rows_of(*slice);
    visited.insert(visited.end(), rows.begin(), rows.end());
    position = slice->upper;
  }
  EXPECT_EQ(visited, between(lower, upper));
}

TEST_P(KeysetOf, SlicesAsARowComparisonDoesAlsoBetweenRowsThatAreGone) {
  session_.exec("DELETE FROM " + walk_->table_sql() + " t WHERE md5(t.ctid::text) < '8'");
  for (int i = 0; i < 40; ++i) {
    auto a = random_below(all_.size());
    auto b = random_below(all_.size());
    if (b < a) std::swap(a, b);
    const auto lower = i % 8 == 0 ? std::nullopt : std::optional(all_[a]);
    const int prefix = equal_prefix(lower, all_[b]);
    ASSERT_EQ(rows_of({lower, all_[b], prefix}), between(lower, all_[b]))
        << "(" << pg::display(all_[a]) << ", " << pg::display(all_[b]) << "], " << prefix << " equal";
  }
}

TEST_P(KeysetOf, CutsARangeIntoEqualPartsStrictlyInsideIt) {
  const auto total = all_.size();
  const auto lower = all_[total / 5];
  const auto upper = all_[total - total / 5];
  const auto rows = between(lower, upper);
  const int parts = 2 + static_cast<int>(random_below(5));
  const auto sample = walk_->sample(lower, upper, parts, 100);
  const auto answer = session_.exec(sample.sql, sample.params);
  ASSERT_EQ(static_cast<int>(answer.size()), parts - 1);
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < answer.size(); ++i) {
    const auto found = std::find(rows.begin(), rows.end(), walk_->read_key(answer, i));
    ASSERT_NE(found, rows.end()) << "outside";
    ASSERT_NE(found, rows.end() - 1) << "the upper end itself";
    places.push_back(static_cast<std::size_t>(found - rows.begin()) + 1);
  }
  places.push_back(rows.size());
  std::size_t before = 0;
  for (const auto place : places) {
    ASSERT_GT(place, before) << "in order";
    EXPECT_NEAR(static_cast<double>(place - before), static_cast<double>(rows.size()) / parts, 1);
    before = place;
  }
}

TEST_P(KeysetOf, SlicesRowsThatAreLeftOutOfTheOthers) {
  const std::string condition = "md5(t.ctid::text) < '7'";
  const auto left = keys(condition);
  ASSERT_GT(left.size(), 5U);
  const auto sql = walk_->slices_of("FROM " + walk_->table_sql() + " t WHERE " + condition, 1'000);
  const auto slices = walk_->read_slices(session_.exec(sql, pg::Params{}));
  Keys sliced;
  for (const auto& [slice, expected] : slices) {
    const auto rows = rows_of({slice.lower, slice.upper, equal_prefix(slice.lower, slice.upper)});
    EXPECT_EQ(static_cast<std::int64_t>(rows.size()), expected);
    sliced.insert(sliced.end(), rows.begin(), rows.end());
  }
  EXPECT_EQ(sliced, left);
  EXPECT_LT(slices.size(), left.size()) << "neighbours share a slice";
}

TEST_P(KeysetOf, ComparesAStoredPositionAsTheServerOrdersKeys) {
  for (int i = 0; i < 25; ++i) {
    const auto a = random_below(all_.size());
    const auto b = random_below(all_.size());
    pg::Params params{pg::to_array(all_[a])};
    params.insert(params.end(), all_[b].begin(), all_[b].end());
    EXPECT_EQ(session_.exec("SELECT " + walk_->is_before("$1::text[]", 2), params).boolean(0, 0), a < b)
        << pg::display(all_[a]) << " against " << pg::display(all_[b]);
  }
}

INSTANTIATE_TEST_SUITE_P(Keys, KeysetOf, ::testing::ValuesIn(keyset_cases()),
                         [](const auto& key) { return key.param.name; });

// A tenant of 100,000 rows among small ones: an upper bound that the index does not stop at reads all of
// them.
class KeysetPlan : public ::testing::Test {
 protected:
  static constexpr const char* kTable = R"sql(
    CREATE TABLE t (tenant text, id bigint, at timestamptz, n int, PRIMARY KEY (tenant, id, at));
    INSERT INTO t SELECT 'large', i, '2024-01-01 00:00+00', 0 FROM generate_series(1, 100000) i;
    INSERT INTO t SELECT 'tenant ' || i % 1000, i, '2024-01-01 00:00+00', 0 FROM generate_series(1, 20000) i
  )sql";
  static constexpr std::int64_t kRows = 100;
  static constexpr std::int64_t kPagesMax =
      100;  // rows of small tenants lie on pages of their own; 100,000 rows: 900 pages

  static const std::string& large_database() {
    static const std::string dsn = [] {
      auto made = fresh_database();
      Db db(made);
      db.exec(kTable);
      db.exec("ANALYZE t");
      return made;
    }();
    return dsn;
  }

  void SetUp() override {
    session_.exec(pg::begin_sql({}));
    const auto table = pg::read_table(session_, {"", "t"});
    walk_.emplace(table.sql(), pg::choose_key(table, {}));
  }

  /// EXPLAIN ANALYZE of a statement must touch few pages, read no row in vain, and visit `rows` rows.
  void expect_index_conditions_only(const std::string& sql, const pg::Params& params) {
    const auto lines =
        session_.exec("EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, SUMMARY OFF) " + sql, params);
    std::string plan;
    for (std::size_t i = 0; i < lines.size(); ++i) plan += lines.text(i, 0) + "\n";
    EXPECT_EQ(plan.find("Seq Scan"), std::string::npos) << plan;
    EXPECT_EQ(plan.find("Filter"), std::string::npos) << plan;
    const std::string hit = "Buffers: shared hit=";
    const auto at = plan.find(hit);
    ASSERT_NE(at, std::string::npos) << plan;
    EXPECT_LE(std::stoll(plan.substr(at + hit.size())), kPagesMax) << plan;
  }

  void expect_cheap_batch(const pg::Key& lower, const pg::Key& range_upper, int prefix) {
    const auto ask = walk_->bound(lower, range_upper, kRows);
    expect_index_conditions_only(ask.sql, ask.params);
    const auto bound = walk_->read_bound(session_.exec(ask.sql, ask.params));
    ASSERT_TRUE(bound);
    ASSERT_EQ(bound->equal_prefix, prefix);
    const auto predicate = walk_->predicate({lower, bound->key, prefix});
    expect_index_conditions_only("SELECT count(*) FROM t WHERE " + predicate.sql, predicate.params);
    EXPECT_EQ(session_.exec("SELECT count(*) FROM t WHERE " + predicate.sql, predicate.params).integer(0, 0),
              kRows);
  }

  pg::Session session_{pg::ConnectionTarget(large_database()), "test"};
  std::optional<walk::Keyset> walk_;
};

constexpr const char* kAt = "2024-01-01 00:00:00+00";
const pg::Key kLast{"tenant 999", "99999", kAt};

TEST_F(KeysetPlan, ReadsOnlyItsRowsInsideALargeTenant) {
  expect_cheap_batch({"large", "50000", kAt}, kLast, 1);
}

TEST_F(KeysetPlan, ReadsOnlyItsRowsAtTheEndOfALargeTenant) {
  expect_cheap_batch({"large", "99890", kAt}, {"large", "100000", kAt}, 1);
}

TEST_F(KeysetPlan, ReadsOnlyItsRowsAcrossTenants) {
  expect_cheap_batch({"large", "99950", kAt}, kLast, 0);
}

TEST_F(KeysetPlan, ReadsOnlyTheLastRowsOfARange) {
  const auto rest = walk_->remainder(pg::Key{"large", "50000", kAt}, {"large", "50040", kAt}, kRows);
  expect_index_conditions_only(rest.sql, rest.params);
  EXPECT_EQ(session_.exec(rest.sql, rest.params).integer(0, 0), 40);
}

}  // namespace
}  // namespace pgsluice::test
