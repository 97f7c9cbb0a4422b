package dev.xip.nio;

import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.UserPrincipal;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.nio.file.attribute.UserPrincipalNotFoundException;

/**
 * Users and groups of images, which hold numbers. The names that a number has on this host or in
 * the image's own /etc/passwd are not looked up: a principal's name is its number.
 */
final class Principals extends UserPrincipalLookupService {
  /** The owner of a file, in its access list. */
  static final UserPrincipal OWNER = new User("OWNER@");

  /** The group of a file, in its access list. */
  static final UserPrincipal GROUP = new Group("GROUP@");

  /** All users, in an access list. */
  static final UserPrincipal EVERYONE = new User("EVERYONE@");

  private static final long LAST_ID = 0xffff_ffffL;

  /** Finds principals by number. */
  static final UserPrincipalLookupService LOOKUP = new Principals();

  private Principals() {}

  private record User(String getName) implements UserPrincipal {
    @Override
    public String toString() {
      return getName;
    }
  }

  private record Group(String getName) implements GroupPrincipal {
    @Override
    public String toString() {
      return getName;
    }
  }

  static UserPrincipal user(long id) {
    return new User(Long.toString(id));
  }

  static GroupPrincipal group(long id) {
    return new Group(Long.toString(id));
  }

  @Override
  public UserPrincipal lookupPrincipalByName(String name) throws UserPrincipalNotFoundException {
    return user(id(name));
  }

  @Override
  public GroupPrincipal lookupPrincipalByGroupName(String group)
      throws UserPrincipalNotFoundException {
    return group(id(group));
  }

  private static long id(String name) throws UserPrincipalNotFoundException {
    if (name.matches("[0-9]{1,10}")) {
      long id = Long.parseLong(name);
      if (id <= LAST_ID) {
        return id;
      }
    }
    throw new UserPrincipalNotFoundException(name);
  }
}
