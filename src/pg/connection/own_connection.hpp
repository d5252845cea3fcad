#pragma once

#include <memory>
#include <string>

#include "pg/connection/connection.hpp"

namespace pgsluice::pg {

/// Opens a connection for work that needs a session of its own (CREATE INDEX CONCURRENTLY, VACUUM), one at a
/// time, and knows it while it lives, so that what is in work there can be ended. Confined to the io thread.
class OwnConnection {
 public:
  /// `application_prefix` stands before the purpose in application_name.
  OwnConnection(ConnectionTarget target, std::string application_prefix)
      : target_(std::move(target)), prefix_(std::move(application_prefix)) {}

  /// Who holds the answer keeps it open.
  std::shared_ptr<Connection> open(const std::string& purpose) {
    auto connection = std::make_shared<Connection>(target_, prefix_ + " " + purpose);
    opened_ = connection;
    return connection;
  }
  /// nullptr: none is open.
  std::shared_ptr<Connection> opened() const { return opened_.lock(); }

 private:
  ConnectionTarget target_;
  std::string prefix_;
  std::weak_ptr<Connection> opened_;
};

}  // namespace pgsluice::pg
