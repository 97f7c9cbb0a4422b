package dev.xip.history;

import java.util.List;

/**
 * A step as it is told, without what its run shows.
 *
 * @param id its name on the command line, such as {@code 15-jan}
 * @param date when it happened
 * @param title a line
 * @param mails the mails or commits that it is taken from
 * @param told what was proposed or decided, in a few sentences
 * @param today what of it holds today, in a sentence or two
 * @param classes the classes that do it here
 * @param tests the tests behind it, each {@code dev.xip.Class#method} or {@code dev.xip.Class}
 */
public record Account(
    String id,
    String date,
    String title,
    List<Mail> mails,
    String told,
    String today,
    List<Class<?>> classes,
    List<String> tests) {
  /** Copies the lists. */
  public Account {
    mails = List.copyOf(mails);
    classes = List.copyOf(classes);
    tests = List.copyOf(tests);
  }

  /**
   * A source.
   *
   * @param who the author
   * @param id the message-id of a mail, or {@code commit} and the id of a commit
   */
  public record Mail(String who, String id) {}
}
