#pragma once

#include <memory>
#include <string>

#include "measure/options.hpp"
#include "support/db.hpp"
#include "support/private_server.hpp"

namespace pgsluice::bench {

/// A database for one trial, gone with this object. Every trial starts from the same pages, statistics and
/// free space map, in buffers as far as they fit, after a checkpoint.
class TrialDatabase {
 public:
  TrialDatabase(test::PrivateServer& server, const std::string& template_name);
  ~TrialDatabase();
  TrialDatabase(const TrialDatabase&) = delete;
  TrialDatabase& operator=(const TrialDatabase&) = delete;

  const std::string& name() const { return name_; }
  std::string dsn() const { return server_.dsn(name_); }
  test::Db& db() { return *db_; }

 private:
  test::PrivateServer& server_;
  std::string name_;
  std::unique_ptr<test::Db> db_;
};

/// A private server as in production where it weighs (fsync and full_page_writes on), and without what comes
/// and goes by itself: no checkpoint within a trial, no autovacuum.
class BenchServer {
 public:
  explicit BenchServer(const Options& options, const test::Settings& more = {});

  /// Makes a database that trials are copied from: runs `sql` in it, then vacuums, freezes and analyses.
  void make_template(const std::string& name, const std::string& sql);

  TrialDatabase trial(const std::string& template_name) { return {server_, template_name}; }
  test::PrivateServer& server() { return server_; }

 private:
  test::PrivateServer server_;
};

/// Where the write-ahead log's end is, in bytes, whoever wrote it.
double wal_position(test::Db& db);

}  // namespace pgsluice::bench
