#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <ranges>
#include <string>
#include <vector>

#include "kinds/retype/dependents/bound_objects.hpp"
#include "pg/connection/transaction.hpp"
#include "support/db.hpp"
#include "support/shared_server.hpp"

namespace pgsluice::test {

using steps::retype::BoundObject;
using steps::retype::ColumnPlace;

/// A database of its own, with a session that reads what is bound and carries it over.
class Bound : public testing::Test {
 protected:
  ColumnPlace place(const std::string& table_sql, const std::string& column) {
    const auto row = db_.rows("SELECT attrelid, attnum FROM pg_attribute WHERE attrelid = $$" + table_sql +
                              "$$::regclass AND attname = '" + column + "'");
    return {static_cast<std::uint32_t>(std::stoul(row.at(0).at(0))), table_sql, std::stoi(row.at(0).at(1)),
            column};
  }
  static std::unique_ptr<pg::Session> open(const std::string& dsn) {
    return std::make_unique<pg::Session>(pg::ConnectionTarget(dsn), "pgsluice test");
  }
  /// From here on, the session is that of an ordinary role.
  void connect_as(const std::string& role) {
    session_ = open(SharedServer::get().dsn(db_.text("SELECT current_database()"), role));
  }

  template <class Work>
  auto in_transaction(Work work) {
    return pg::in_transaction(*session_, {}, work);
  }
  std::vector<BoundObject> read(const std::vector<ColumnPlace>& columns) {
    return in_transaction([&] { return steps::retype::read_bound_objects(*session_, columns); });
  }

  /// Drops, `between`, creates: one transaction under a search_path that has nothing to do with the schema.
  std::vector<BoundObject> carry(const std::vector<ColumnPlace>& columns,
                                 const std::vector<std::string>& between) {
    return in_transaction([&] {
      session_->exec("SET LOCAL search_path = app, public");
      const auto objects = steps::retype::read_bound_objects(*session_, columns);
      for (const auto& object : objects) {
        EXPECT_EQ(object.refusal, "") << object.name;
        for (const auto& statement : object.drop) execute(statement);
      }
      for (const auto& statement : between) execute(statement);
      for (const auto& object : std::views::reverse(objects)) {
        for (const auto& statement : object.create) execute(statement);
      }
      EXPECT_EQ(session_->exec("SHOW search_path").text(0, 0), "app, public");
      EXPECT_EQ(session_->exec("SELECT current_user").text(0, 0),
                session_->exec("SELECT session_user").text(0, 0));
      return objects;
    });
  }
  void execute(const std::string& statement) {
    try {
      session_->exec(statement);
    } catch (const pg::Failure& f) {
      throw std::runtime_error(statement + "\n" + f.what());
    }
  }

  /// One line for each statement, so that a difference is easy to see.
  static std::string told(const std::vector<BoundObject>& objects) {
    std::string out;
    for (const auto& o : objects) {
      out += o.name + (o.refusal.empty() ? "" : ": " + o.refusal) + "\n";
      for (const auto& statement : o.drop) out += "  " + statement + "\n";
      for (const auto& statement : o.create) out += "  " + statement + "\n";
    }
    return out;
  }

  std::string dsn_ = fresh_database();
  Db db_{dsn_};
  std::unique_ptr<pg::Session> session_ = open(dsn_);
};

}  // namespace pgsluice::test
