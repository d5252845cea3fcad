// Goal: two texts are one definition when, and only when, they do the same. Method: pairs of texts.
#include "job/sql/meaning.hpp"

#include <gtest/gtest.h>

#include "pgsluice/job.hpp"

namespace pgsluice::job {
namespace {

bool is_same(const Step& a, const Step& b) {
  return meaning_of(step_definition(a)) == meaning_of(step_definition(b));
}

bool is_same_value(const std::string& a, const std::string& b) {
  const BackfillStep one{"fill", {"", "t"}, {}, {{"n", a}}, ""};
  const BackfillStep other{"fill", {"", "t"}, {}, {{"n", b}}, ""};
  return is_same(one, other);
}

bool is_same_up(std::vector<std::string> a, std::vector<std::string> b) {
  return is_same(SqlStep{"s", std::move(a), {}}, SqlStep{"s", std::move(b), {}});
}

TEST(Meanings, KnowBlanksCommentsParenthesesAndCase) {
  EXPECT_TRUE(is_same_value("n + 1", "n+1"));
  EXPECT_TRUE(is_same_value("n + 1", "N\n  +\t1 -- one more\n"));
  EXPECT_TRUE(is_same_value("a - -b", "a - /* minus */ -b"));
  EXPECT_TRUE(is_same_value("LOWER(email)", "lower( email )"));
  EXPECT_TRUE(is_same_value("(n + 1)", "n + 1"));
  EXPECT_TRUE(is_same_value("CAST(n AS text)", "n::text"));
}

TEST(Meanings, TellWhateverDoesSomethingElse) {
  EXPECT_FALSE(is_same_value("n + 1", "n + 2"));
  EXPECT_FALSE(is_same_value("'a b'", "'a  b'"));
  EXPECT_FALSE(is_same_value("'a b'", "'A b'"));
  EXPECT_FALSE(is_same_value("'--x'", "'--y'"));
  EXPECT_FALSE(is_same_value("$$a b$$", "$$a  b$$"));
  EXPECT_FALSE(is_same_value("E'a\\n'", "'a\\n'"));
  EXPECT_FALSE(is_same_value("\"N\"", "n"));
  EXPECT_FALSE(is_same_value("1.0", "1.00"));
  EXPECT_FALSE(is_same_value("(a + b) * c", "a + b * c"));
  EXPECT_FALSE(is_same_value("a AND (b OR c)", "a AND b OR c"));
  EXPECT_FALSE(is_same_value("n::int4", "n::int8"));
}

TEST(Meanings, HaveNoOrderOfAssignmentsButOneOfKeys) {
  const BackfillStep one{"f", {"", "t"}, {"a", "b"}, {{"x", "1"}, {"y", "'a\nb'"}}, "x IS NULL"};
  auto turned = one;
  std::swap(turned.set[0], turned.set[1]);
  EXPECT_TRUE(is_same(one, turned));
  auto swapped = one;
  std::swap(swapped.set[0].expression, swapped.set[1].expression);
  EXPECT_FALSE(is_same(one, swapped));
  auto other_key = one;
  std::swap(other_key.key[0], other_key.key[1]);
  EXPECT_FALSE(is_same(one, other_key));
}

TEST(Meanings, ReadStatementsThatStandOneAfterTheOther) {
  EXPECT_TRUE(
      is_same_up({"ALTER TABLE a\n  ADD x int", "SELECT 1"}, {"ALTER TABLE a ADD x int", "SELECT  1"}));
  EXPECT_TRUE(is_same_up({"CREATE VIEW v AS\nSELECT 1\nUNION\nSELECT 2", "GRANT SELECT ON v TO r"},
                         {"CREATE VIEW v AS SELECT 1 UNION SELECT 2", "grant select on V to r"}));
  EXPECT_FALSE(is_same_up({"ALTER TABLE a ADD x int", "SELECT 1"}, {"ALTER TABLE a ADD y int", "SELECT 1"}));
  EXPECT_FALSE(is_same_up({"SELECT 1", "SELECT 2"}, {"SELECT 2", "SELECT 1"}));
  EXPECT_FALSE(is_same_up({"DO 'begin  end'"}, {"DO 'begin end'"}));
}

TEST(Meanings, OfAnIndexAndAQuestionAreThatOfTheirStatement) {
  EXPECT_TRUE(is_same(IndexStep{"i", "CREATE INDEX CONCURRENTLY i ON a (b)"},
                      IndexStep{"i", "create index concurrently i\n on a(b)"}));
  EXPECT_FALSE(is_same(IndexStep{"i", "CREATE INDEX CONCURRENTLY i ON a (b)"},
                       IndexStep{"i", "CREATE UNIQUE INDEX CONCURRENTLY i ON a (b)"}));
  EXPECT_TRUE(is_same(VerifyStep{"v", "SELECT count(*) FROM a", "0"},
                      VerifyStep{"v", "SELECT count( * )\nFROM a", "0"}));
  EXPECT_FALSE(is_same(VerifyStep{"v", "SELECT 1", "1"}, VerifyStep{"v", "SELECT 1", "1 "}));
}

}  // namespace
}  // namespace pgsluice::job
