/*
 * Exactly once: what core/once.py, core/callback.py and core/exchange.py do with one callback, for
 * every order in which its duplicates can come, wait, fail and die. `scripts/model` checks it, and
 * README.md beside this file says what is left out, and why.
 *
 * The states of a claim are those of once.py:
 *
 *   free ---> claimed ---> finished
 *    ^           |
 *    |           +-------> lapsed
 *    +-withdrawn-+
 *
 * What is inside one `atomic` is one effect of a flow: one call of the store, or one message to or
 * from the provider. Between two effects anything else may happen, and take any time. So there are
 * no seconds here: what can be over may be over at any moment.
 *
 * What must hold:
 *   (1) A code is never sent twice, unless the first surely never left. Nothing is revoked.
 *   (2) All who are told the outcome are told the same one. Whoever is told something else is told
 *       so for a reason, and gets no session; after a logout nobody gets one.
 *   (3) Every delivery that does not die ends. There is no cycle in the states that can be reached,
 *       and none in which somebody is left waiting: spin looks for both.
 *   (4) A browser without this attempt's login cookie gets no session and sends no code.
 */

#define DELIVERIES 3            /* of one callback, by the browser that started the attempt */
#define STRANGER   DELIVERIES   /* and one more in another browser, where the URL has leaked to */
#define NOBODY     (DELIVERIES + 1)

/* The keys of outcomes. A receipt is in the login cookie of its attempt and nowhere else. */
#define RECEIPT       1
#define OTHER_RECEIPT 2         /* the stranger has an attempt of its own */
#define ANY_KEY       3

#include "mistakes.pml"        /* the order of the steps, and what else could be got wrong */

mtype = { free, claimed, finished, lapsed }             /* a claim */
mtype = { nothing, session, failed, withdrawn }         /* an outcome; `withdrawn` for a second */

/* The store: all that processes share. */
mtype claim = free;
mtype outcome = nothing;
byte  outcome_of = NOBODY;      /* whose work it is from: sessions of two exchanges are two */
byte  outcome_key = RECEIPT;
bool  tombstone = false;

/* The provider. */
chan  token_request = [DELIVERIES + 1] of { byte };
mtype reply[DELIVERIES + 1] = nothing;
bool  code_used = false;

/* The browser. */
bool  receipt_arrived = false;  /* the answer's cookies came, and go with the next delivery */

/* What nobody knows but this check. */
byte  begun = 0;
bool  may_have_been_sent = false;
bool  was_withdrawn = false;
bool  window_is_over = false;
bool  was_not_kept = false;
mtype told = nothing;           /* the first outcome that a browser was told, unless withdrawn */
byte  told_of = NOBODY;

#define OPENS (outcome != nothing && (outcome_key == key || outcome_key == ANY_KEY))
inline keep_outcome() { outcome = found; outcome_of = found_of; outcome_key = SEALED_FOR }
inline read_outcome() { found = outcome; found_of = outcome_of }

/* The process dies: nothing runs on, nothing is tidied up. To die before anything else is not to
 * come at all, so fewer deliveries are in this as well. A crashed delivery that the browser repeats
 * is another delivery. */
inline may_die() { if :: true :: FAILS -> goto over fi }

/* Each delivery is in a process of its own, which is the worst case: two in one process share
 * nothing more than two in two do, and to die together is to die one right after the other. */
active [DELIVERIES + 1] proctype delivery()
{
  byte  key = (_pid == STRANGER -> OTHER_RECEIPT : RECEIPT);
  mtype found = nothing;        /* the outcome, made here or read */
  byte  found_of = NOBODY;
  bool  came_after_logout, only_reads, was_not_checked;

  atomic {                                        /* callback(): which cookie is there? */
    /* They are all alike, so it is enough that they come in the order of their numbers. */
    _pid == STRANGER || begun == _pid -> begun = begun + (_pid != STRANGER);
    may_die();
    came_after_logout = tombstone;
    if
    :: !HAS_COOKIE || receipt_arrived -> only_reads = true
    :: HAS_COOKIE && !receipt_arrived
    :: HAS_COOKIE && FAILS -> goto is_unavailable /* no metadata, no keys, a stale login page */
    fi
  }

looks:
  atomic {                                        /* _outcome(): what does not open is not there */
    may_die();
    if
    :: OPENS -> read_outcome(); goto answers
    :: !OPENS && only_reads -> goto has_nothing   /* recall(), and _without_cookie() */
    :: !OPENS && !only_reads -> goto BEGINS
    :: FAILS -> goto is_unavailable               /* StoreUnavailable, before anything was done */
    fi
  }

claims:
  atomic {                                        /* add(): of all who ask, one is told yes */
    may_die();
    if
    :: claim == free -> claim = claimed; goto HAS_CLAIMED
    :: claim == free && FAILS -> claim = claimed; goto is_unavailable   /* its answer was lost */
    :: claim != free -> goto holds
    :: FAILS -> goto is_unavailable
    fi
  }

works:
  atomic {                                        /* _tokens(): the request leaves */
    may_die();
    if
    :: true ->
       assert(key == RECEIPT);                    /* (4) */
       assert(!may_have_been_sent);               /* (1) */
       may_have_been_sent = true;
       token_request ! _pid
    :: FAILS ->                                   /* ProviderUnreachable: surely it did not */
       was_withdrawn = true; found = withdrawn; found_of = _pid; goto HAS_WORKED
    fi
  }
  atomic {
    may_die();
    if
    :: reply[_pid] == session -> found = session
    :: reply[_pid] == session && FAILS -> found = failed   /* ID token, userinfo, session store */
    :: reply[_pid] == failed -> found = failed
    :: FAILS -> found = failed                    /* ProviderTimeout: it may have arrived */
    fi;
    found_of = _pid;
    goto HAS_WORKED
  }

records:                                          /* _do() */
  if
  :: found != withdrawn -> goto RECORDS
  :: found == withdrawn -> goto notes
  fi;

keeps:
  atomic {                                        /* put(outcome) */
    may_die();
    if
    :: true -> keep_outcome(); goto HAS_KEPT
    :: FAILS -> keep_outcome(); goto answers
    :: FAILS -> was_not_kept = true; goto answers
    fi
  }

marks:
  atomic {                                        /* put(finished) */
    may_die();
    if
    :: true -> claim = finished
    :: FAILS                                      /* the claim will lapse */
    fi;
    goto HAS_MARKED
  }

notes:
  atomic {                                        /* put(outcome), for those who wait */
    may_die();
    if
    :: true -> keep_outcome()
    :: FAILS -> keep_outcome(); goto answers
    :: FAILS -> goto answers
    fi
  }
  atomic {                                        /* delete(claim): it may be done again */
    may_die();
    if
    :: true -> claim = free
    :: FAILS
    fi;
    goto answers
  }

holds:
  atomic {                                        /* _held(): what has come of the other's claim? */
    may_die();
    if
    :: claim == finished
    :: claim == lapsed -> goto AT_LAPSED
    :: claim == claimed || claim == free -> goto waits
    :: FAILS -> goto is_unavailable
    fi
  }
  atomic {                                        /* kept before it was marked: look once more */
    may_die();
    if
    :: OPENS -> read_outcome(); goto answers
    :: !OPENS -> goto has_nothing
    :: FAILS -> goto is_unavailable
    fi
  }

waits:
  /* A look that finds what the last one found changes nothing. So instead of looking again and
   * again, this waits until there is news; and whoever dies here dies at the look that follows. */
  if
  :: outcome != nothing || NEWS -> goto looks
  :: PATIENCE -> goto is_lapsed                   /* it has waited for as long as a lease lasts */
  fi;

answers:                                          /* _answer() */
  if
  :: found != session -> goto is_told
  :: found == session
  fi;
  atomic {                                        /* _lives() */
    may_die();
    if
    :: HAS_ENDED -> goto is_not_here
    :: !HAS_ENDED
    :: FAILS -> was_not_checked = true            /* it goes on until it is checked the next time */
    fi
  }

is_told:
  atomic {
    assert(found != session || _pid != STRANGER);                          /* (4) */
    assert(found != session || !came_after_logout || was_not_checked);     /* (2) */
    if
    :: found == withdrawn -> assert(was_withdrawn)
    :: found != withdrawn ->
       assert(told == nothing || (told == found && told_of == found_of));  /* (2) */
       told = found; told_of = found_of
    fi;
    if
    :: found == session && _pid != STRANGER -> receipt_arrived = true
    :: true                                       /* the answer is lost, or brings no receipt */
    fi;
    goto over
  }

/* Whoever ends below gets no session. The sign-in starts again, at most once, with a code and a
 * name of its own, which share nothing with these; or there is a page. */
has_nothing:                                      /* No.WINDOW_OVER */
  assert(_pid == STRANGER || window_is_over || (only_reads && was_not_kept));
  goto over;

is_lapsed:                                        /* No.LAPSED */
is_unavailable:
  assert(FAILS);
  goto over;

is_not_here:
  assert(tombstone);

over:
  atomic {                                        /* forgotten: one state less for each memory */
    key = 0; found = nothing; found_of = NOBODY;
    came_after_logout = false; only_reads = false; was_not_checked = false
  }
}

/* Its codes are single use, and using one twice revokes what the first use gave. A request may
 * arrive after its sender has given up or died, or never. */
active proctype provider()
{
  byte sender;
end: do
  :: atomic {
       token_request ? sender;
       assert(!code_used);                        /* (1) */
       code_used = true;
       if
       :: reply[sender] = session
       :: reply[sender] = failed                  /* invalid_grant, an error, rubbish */
       fi
     }
     od
}

/* A lease may run out under a worker that lives and is only slow: more than the seconds allow. */
active proctype time_passes()
{
end: do
  :: atomic { FAILS && claim == claimed -> claim = lapsed }
  :: atomic { FAILS && outcome == withdrawn -> outcome = nothing }
  :: atomic { FAILS && (outcome == session || outcome == failed) -> outcome = nothing;
                                                                    window_is_over = true }
     od
}

/* The visitor signs out, or the provider says so: as soon as there is anything to end, or never. */
active proctype logout()
{
end:
  atomic { code_used -> tombstone = true }
}
