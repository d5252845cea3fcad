#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "kinds/retype/graph/retype.hpp"

namespace pgsluice::steps::retype {

/// The result of a rehearsal.
struct Rehearsal {
  /// An act that the server refused. Nothing after it was tried.
  struct Refused {
    std::string act;        // "cut-over", "build index … on …"
    std::string statement;  // with the names of the real tables
    std::string message;    // in the server's words
    std::string sqlstate;
  };
  std::vector<Refused> refused;      // empty: every act succeeded, or `cut_short` says why that is not known
  std::string cut_short;             // in words; empty: it was completed
  std::vector<std::string> remarks;  // what the likeness lacks
  int statements = 0;                // that succeeded
  std::chrono::milliseconds took{0};
};

/// How long a rehearsal may take; no statement is begun after that.
constexpr std::chrono::seconds kRehearsalMost{20};

/// Runs everything that a retype will do, from expand through cut-over, way back and a second cut-over to
/// contract, on an empty likeness of the tables with some of their rows, in one transaction that is rolled
/// back. Takes ACCESS SHARE locks on the real tables and leaves no trace. For a retype that has not begun.
/// Throws Failure if the connection is lost.
///
/// `read` reads the retype of another step, in the same way as this one was read.
Rehearsal rehearse(pg::Session& session, const Retype& retype,
                   const std::function<Retype(pg::Session&, const RetypeStep&)>& read);

}  // namespace pgsluice::steps::retype
