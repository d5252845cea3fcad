// Goal: what the operator writes as an expression is one expression, over one row, and cannot escape its
// parentheses. Method: tables of accepted and refused texts.
#include "job/sql/expression.hpp"

#include <gtest/gtest.h>

#include "unit/job/parsing.hpp"

namespace pgsluice::job {
namespace {

TEST(Expressions, AreAcceptedAsTheyAreWritten) {
  for (const char* text :
       {"true", "lower(email)", "a + 1", "(a + 1) * (b - 2)", "NULL", "now() - interval '1 day'",
        "CASE WHEN a THEN 1 ELSE 2 END", "a IS NULL AND b = ANY (ARRAY[1, 2])", "\"Odd Col\" || 'x'",
        "a::text COLLATE \"C\"", "(SELECT x FROM t WHERE t.id = a)", "coalesce((SELECT sum(x) FROM t), 0)",
        "id IN (SELECT max(id) FROM t GROUP BY k)", "EXISTS (SELECT rank() OVER (ORDER BY x) FROM t)",
        "$tag$a; b$tag$", "mine.sum(x)", "ROW(1, 2)", "x /* why */"}) {
    const auto checked = check_expression(text);
    ASSERT_EQ(refusal_of(checked), "accepted") << text;
    EXPECT_EQ(std::get<Expression>(checked).text, text);
  }
}

TEST(Expressions, AreNotSeveralStatements) {
  EXPECT_EQ(refusal_of(check_expression("1) ; drop table x; --")),
            "is not valid SQL: syntax error at or near \")\"");
  EXPECT_EQ(refusal_of(check_expression("1; drop table x")),
            "must be one expression, but contains 2 statements");
  EXPECT_EQ(refusal_of(check_expression("1); drop table x; select (1")),
            "is not valid SQL: syntax error at or near \")\"");
  EXPECT_EQ(refusal_of(check_expression("1;")), "must be exactly one expression");
}

TEST(Expressions, CannotEscapeTheirParentheses) {
  for (const char* text : {"1) + (2", "1) FROM t WHERE (true", "1), (2", "1) UNION SELECT (2", "(1", "1)",
                           "1 /* open", "'open", "\"open", "$a$open"}) {
    EXPECT_NE(refusal_of(check_expression(text)), "accepted") << text;
  }
}

TEST(Expressions, AreOneValueAndNothingElse) {
  for (const char* text :
       {"a, b", "a AS b", "a b", "a FROM t", "a ORDER BY b", "a LIMIT 1", "a INTO x", "DISTINCT a", "ALL a",
        "*", "1 WHERE true", "-- only a comment", "/* only a comment */", "UPDATE t SET a = 1"}) {
    EXPECT_NE(refusal_of(check_expression(text)), "accepted") << text;
  }
}

TEST(Expressions, MustNotBeEmpty) {
  for (const char* text : {"", " ", "\n\t"}) EXPECT_EQ(refusal_of(check_expression(text)), "is empty");
}

TEST(Expressions, EndTheirLineCommentSoThatNothingIsSwallowed) {
  const auto text = [](const char* written) { return std::get<Expression>(check_expression(written)).text; };
  EXPECT_EQ(text("a + 1 -- why"), "a + 1 -- why\n");
  EXPECT_EQ(text("'1) ; drop table x; --'"), "'1) ; drop table x; --'\n");
  EXPECT_EQ(text("a -- why\n + 1"), "a -- why\n + 1");
}

TEST(Expressions, HoldNoAggregateOutsideASubquery) {
  EXPECT_EQ(refusal_of(check_expression("count(*)")), "contains the aggregate count");
  EXPECT_EQ(refusal_of(check_expression("1 + SUM(x)")), "contains the aggregate sum");
  EXPECT_EQ(refusal_of(check_expression("pg_catalog.max(x)")), "contains the aggregate pg_catalog.max");
  EXPECT_EQ(refusal_of(check_expression("mine(x ORDER BY y)")), "contains the aggregate mine");
  EXPECT_EQ(refusal_of(check_expression("mine(DISTINCT x)")), "contains the aggregate mine");
  EXPECT_EQ(refusal_of(check_expression("mine(x) FILTER (WHERE y)")), "contains the aggregate mine");
  EXPECT_EQ(refusal_of(check_expression("\"Mine\"(0.5) WITHIN GROUP (ORDER BY x)")),
            "contains the aggregate \"Mine\"");
  EXPECT_EQ(refusal_of(check_expression("array_agg(x) IS NULL AND y")), "contains the aggregate array_agg");
  EXPECT_EQ(refusal_of(check_expression("sum(x) IN (SELECT 1)")), "contains the aggregate sum");
}

TEST(Expressions, HoldNoWindowFunctionOutsideASubquery) {
  EXPECT_EQ(refusal_of(check_expression("row_number() OVER ()")), "contains the window function row_number");
  EXPECT_EQ(refusal_of(check_expression("sum(x) OVER (PARTITION BY y)")), "contains the window function sum");
}

TEST(Expressions, HoldNothingThatIsFilledInLater) {
  EXPECT_EQ(refusal_of(check_expression("$1")), "contains the parameter $1");
  EXPECT_EQ(refusal_of(check_expression("(SELECT x FROM t WHERE id = $2)")), "contains the parameter $2");
  EXPECT_EQ(refusal_of(check_expression("DEFAULT")), "contains DEFAULT");
}

TEST(Expressions, WriteNothing) {
  EXPECT_EQ(refusal_of(check_expression("(WITH d AS (DELETE FROM t RETURNING 1) SELECT 1 FROM d)")),
            "contains a statement that writes");
}

TEST(Expressions, TellWhichFunctionsTheyCall) {
  const auto checked =
      check_expression("lower(a) || public.\"Odd\"(b) || (SELECT max(c) FROM f(1)) || lower(d) || now()");
  const std::vector<std::string> expected = {"lower", "public.\"Odd\"", "max", "f", "now"};
  auto found = std::get<Expression>(checked).functions;
  std::sort(found.begin(), found.end());
  auto sorted = expected;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(found, sorted);
}

TEST(Expressions, AreBoundedInLengthAndByte) {
  std::string deep = "1";
  while (deep.size() < 16 * 1024 - 2) deep += "+1";
  EXPECT_EQ(refusal_of(check_expression(deep)), "accepted");
  EXPECT_EQ(refusal_of(check_expression(deep + "+1+1")), "is longer than 16 kB");
  EXPECT_EQ(refusal_of(check_expression(std::string("1\0); drop", 9))), "contains a NUL byte");
  EXPECT_EQ(refusal_of(check_expression("'\xff'")), "is not valid UTF-8");
}

TEST(Expressions, SayHowToMendTheUsualMistakes) {
  const auto hint = [](const char* text) { return std::get<Refusal>(check_expression(text)).hint; };
  EXPECT_EQ(hint("SELECT x FROM t"), "put a query in parentheses: (SELECT …)");
  EXPECT_EQ(hint("a + 1;"), "leave out the semicolon: an expression is not a statement");
}

}  // namespace
}  // namespace pgsluice::job
