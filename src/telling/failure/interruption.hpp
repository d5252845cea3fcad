#pragma once

#include <exception>
#include <string>

#include "pg/failure.hpp"
#include "pgsluice/error.hpp"
#include "telling/stop.hpp"

namespace pgsluice::engine {

/// A person cancelled it, so the statement must not be retried. `subject` in words: "step \"rewrite\"";
/// `standing`: what became of its work.
Error cancelled_by_somebody(const std::string& subject, const pg::Failure& failure,
                            const std::string& standing = "the job continues where it stopped");

/// For work that we cancelled because the run's grace was over: says only that the run was told to stop, and
/// why.
class CutShort : public Error {
 public:
  using Error::Error;
};
CutShort cut_short(const Stop& stop);

/// The error only says that the run was told to stop.
bool is_cut_short(const std::exception_ptr& error, const Stop& stop);

}  // namespace pgsluice::engine
