/*
 * The mistakes that the check of once.pml has to find. `spin -D...` makes one of them; README.md
 * says what comes of each. Without any, this is how once.py does it.
 */

#ifdef CLAIM_AFTER_EXCHANGE     /* whoever comes exchanges, and then sees who was first */
#define BEGINS      works
#define HAS_CLAIMED records
#define HAS_WORKED  claims
#else
#define BEGINS      claims
#define HAS_CLAIMED works
#define HAS_WORKED  records
#endif

#ifdef OUTCOME_AFTER_FINISHED   /* who waits is told "finished" while there is nothing to read */
#define RECORDS    marks
#define HAS_KEPT   answers
#define HAS_MARKED keeps
#else
#define RECORDS    keeps
#define HAS_KEPT   marks
#define HAS_MARKED answers
#endif

#ifdef OUTCOME_UNBOUND          /* the callback's URL is enough to read the outcome */
#define SEALED_FOR ANY_KEY
#else
#define SEALED_FOR RECEIPT
#endif

#ifdef TOMBSTONE_IGNORED        /* a captured callback brings back what a logout has ended */
#define HAS_ENDED false
#else
#define HAS_ENDED tombstone
#endif

#ifdef COOKIE_NOT_NEEDED        /* an attacker's own code signs the visitor in (RFC 9700, 4.7) */
#define HAS_COOKIE true
#else
#define HAS_COOKIE (_pid != STRANGER)
#endif

#if defined(LEASE_TAKEOVER)     /* whoever died may have sent the code */
#define AT_LAPSED  works
#define PATIENCE   true
#define NEWS       (claim != claimed)
#elif defined(WAIT_WITHOUT_END) /* neither the lease nor one's own patience ends the wait */
#define AT_LAPSED  waits
#define PATIENCE   false
#define NEWS       (claim == free || claim == finished)
#else
#define AT_LAPSED  is_lapsed
#define PATIENCE   FAILS
#define NEWS       (claim != claimed)
#endif

/* Not a mistake: nobody dies, nothing fails, no time is over. Then (2) leaves no excuse. */
#ifdef CALM
#define FAILS false
#else
#define FAILS true
#endif
