#pragma once

#include <memory>
#include <string>

#include "pg/journals.hpp"
#include "support/pgbench.hpp"

namespace pgsluice::test {

/// How the statements of the application name a key.
enum class Shape { kInteger, kUuid };

/// An application on the five tables of Journals: every row has a token that it keeps, every transaction
/// writes the same to a twin that knows tokens only, with the same foreign keys, so that a lost write, a lost
/// cascade or a wrong pair shows, whatever type the keys have. Confined to the test's thread.
class JournalTraffic {
 public:
  /// Gives every table its tokens and its twin, and keys that cascade when they change. REQUIRES: integer
  /// keys; nothing was run yet.
  explicit JournalTraffic(Journals& journals);

  /// As which it connects.
  const std::string& role() const { return role_; }

  /// Statements that never name a key, at all times.
  void start_neutral();
  /// Statements with keys, by value. `with_early_children`: rows may come before their parents.
  void start_shaped(Shape shape, bool with_early_children = true);
  /// Until as many families more have come in that shape: rows of every kind.
  void await_shaped(int families);
  /// Every transaction must have ended well; what was noticed is returned.
  TrafficResult stop_shaped();
  TrafficResult stop_neutral();

  /// Every table says what its twin says, and no row refers to nothing. REQUIRES: a moment without writes, or
  /// traffic that is as good as over.
  void expect_as_twins();

 private:
  std::unique_ptr<Pgbench> start(const std::string& script, int clients, double rate) const;
  static TrafficResult stop(std::unique_ptr<Pgbench>& traffic, const char* name);

  Journals& journals_;
  std::string role_;
  std::unique_ptr<Pgbench> neutral_, shaped_;
};

}  // namespace pgsluice::test
